// A QR code (ISO/IEC 18004), drawn on the device without a network, by this much of the standard: bytes,
// error correction of level M, versions 1 to 6, which need no version information and have blocks of
// one length. It is for one address, of a reply's page with its code: a host's name may have 79 signs.
//
// Own code, where the house prefers libraries: the code that it holds may not leave the device, so the
// server's library cannot draw it, and what npm has is longer than this by more than is used of it and
// would have to be vendored. Tests hold it against that library, module by module, and against a reader.
// Which of the eight masks is taken is for readers' ease alone: they read any.

// Of each version: codewords of data, codewords of error correction in a block, blocks.
const VERSIONS = [[16, 10, 1], [28, 16, 1], [44, 26, 1], [64, 18, 2], [86, 24, 2], [108, 16, 4]];
const MASKS = [
  (x, y) => (x + y) % 2, (x, y) => y % 2, (x) => x % 3, (x, y) => (x + y) % 3,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2, (x, y) => ((x * y) % 2) + ((x * y) % 3),
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2, (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2,
];

// Powers of 2 in the field of 256 elements, by x^8 + x^4 + x^3 + x^2 + 1.
const POWERS = [1];
for (let place = 1; place < 255; place += 1) POWERS.push((POWERS[place - 1] << 1) ^ (POWERS[place - 1] > 127 ? 0x11d : 0));
const LOGARITHMS = Object.fromEntries(POWERS.map((power, place) => [power, place]));
const times = (a, b) => (a && b ? POWERS[(LOGARITHMS[a] + LOGARITHMS[b]) % 255] : 0);

/** The remainder of Reed and Solomon: what is added to a block so that errors in it can be put right. */
function correction(block, length) {
  let divisor = [1];
  for (let place = 0; place < length; place += 1) {
    divisor = [...divisor, 0].map((each, index) => each ^ (index ? times(divisor[index - 1], POWERS[place]) : 0));
  }
  const rest = [...block, ...Array(length).fill(0)];
  for (let place = 0; place < block.length; place += 1) {
    const factor = rest[place];
    divisor.forEach((each, index) => { rest[place + index] ^= times(each, factor); });
  }
  return rest.slice(block.length);
}

const bitsOf = (value, length) => Array.from({ length }, (_, place) => (value >> (length - 1 - place)) & 1);

/** The data with its padding, in blocks that are woven together, as bits. */
function bitsOfText(bytes, [capacity, length, blocks]) {
  // Mode and length take twelve bits, so that the four zeros at the end fill up a byte.
  const bits = [...bitsOf(0b0100, 4), ...bitsOf(bytes.length, 8), ...[...bytes].flatMap((byte) => bitsOf(byte, 8)), 0, 0, 0, 0];
  const words = Array.from({ length: bits.length / 8 }, (_, place) => bits.slice(8 * place, 8 * place + 8).reduce((word, bit) => 2 * word + bit, 0));
  for (let pad = 0xec; words.length < capacity; pad ^= 0xec ^ 0x11) words.push(pad);
  const size = capacity / blocks;
  const data = Array.from({ length: blocks }, (_, place) => words.slice(place * size, (place + 1) * size));
  const added = data.map((block) => correction(block, length));
  const woven = [data, added].flatMap((parts) => parts[0].flatMap((_, place) => parts.map((part) => part[place])));
  return woven.flatMap((word) => bitsOf(word, 8));
}

/** The patterns by which a reader finds the code: of each module dark or light, null where data goes. */
function frame(version) {
  const size = 17 + 4 * version;
  const modules = Array.from({ length: size }, () => Array(size).fill(null));
  const square = (centreX, centreY, reach, dark) => {
    for (let y = -reach; y <= reach; y += 1) for (let x = -reach; x <= reach; x += 1) {
      if (modules[centreY + y]?.[centreX + x] !== undefined) modules[centreY + y][centreX + x] = dark(Math.max(Math.abs(x), Math.abs(y)));
    }
  };
  for (let place = 0; place < size; place += 1) modules[6][place] = modules[place][6] = place % 2 === 0;
  for (const [x, y] of [[3, 3], [size - 4, 3], [3, size - 4]]) square(x, y, 4, (from) => from !== 2 && from !== 4);
  if (version > 1) square(size - 7, size - 7, 2, (from) => from !== 1);
  // Kept free for the format, which follows from the mask; one module is always dark.
  for (let place = 0; place < 9; place += 1) {
    modules[8][place] ??= false;
    modules[place][8] ??= false;
    if (place < 8) modules[8][size - 1 - place] = modules[size - 1 - place][8] = false;
  }
  modules[size - 8][8] = true;
  return modules;
}

// Where in row and column 8 the format stands, around the timing patterns.
const NEAR = [0, 1, 2, 3, 4, 5, 7, 8];

/** Fifteen bits that say level (M is 00) and mask, with their own correction, in two places. */
function writeFormat(modules, mask) {
  let rest = mask << 10;
  for (let place = 4; place >= 0; place -= 1) if (rest & (1 << (10 + place))) rest ^= 0x537 << place;
  const size = modules.length;
  bitsOf(((mask << 10) | rest) ^ 0x5412, 15).forEach((bit, place) => {
    const dark = bit === 1;
    if (place < 8) modules[8][NEAR[place]] = dark;
    else modules[NEAR[14 - place]][8] = dark;
    if (place < 7) modules[size - 1 - place][8] = dark;
    else modules[8][size - 15 + place] = dark;
  });
}

/** The data in columns of two, upwards and downwards in turn from the right, through a mask. */
function masked(base, bits, mask) {
  const size = base.length;
  const modules = base.map((row) => [...row]);
  let next = 0;
  let upwards = true;
  for (let right = size - 1; right > 0; right -= 2) {
    if (right === 6) right = 5; // the column of the timing pattern
    for (let step = 0; step < size; step += 1) {
      const y = upwards ? size - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (base[y][x] !== null) continue;
        modules[y][x] = Boolean(bits[next] ?? 0) !== (MASKS[mask](x, y) === 0);
        next += 1;
      }
    }
    upwards = !upwards;
  }
  writeFormat(modules, mask);
  return modules;
}

/** How hard a mask makes it for readers, by the four rules of the standard. */
function penalty(modules) {
  const size = modules.length;
  const columns = modules.map((_, x) => modules.map((row) => row[x]));
  let found = 0;
  for (const line of [...modules, ...columns]) {
    const text = line.map((dark) => (dark ? "1" : "0")).join("");
    for (const run of text.match(/0+|1+/g)) if (run.length >= 5) found += run.length - 2;
    // What looks like a corner: 1011101 with four light modules on a side.
    for (let place = 0; place + 7 <= size; place += 1) {
      if (!text.startsWith("1011101", place)) continue;
      const before = text.slice(Math.max(0, place - 4), place);
      const after = text.slice(place + 7, place + 11);
      if (!before.includes("1") || !after.includes("1")) found += 40;
    }
  }
  for (let y = 1; y < size; y += 1) for (let x = 1; x < size; x += 1) {
    const dark = modules[y][x];
    if (dark === modules[y - 1][x] && dark === modules[y][x - 1] && dark === modules[y - 1][x - 1]) found += 3;
  }
  const share = modules.flat().filter(Boolean).length / size ** 2;
  return found + 10 * Math.floor(Math.abs(share - 0.5) / 0.05);
}

/** The modules of a code, rows of dark and light, and its mask; null for a text that is too long. */
export function encoded(text) {
  const bytes = new TextEncoder().encode(text);
  const place = VERSIONS.findIndex(([capacity]) => bytes.length + 2 <= capacity);
  if (place < 0) return null;
  const base = frame(place + 1);
  const bits = bitsOfText(bytes, VERSIONS[place]);
  const all = MASKS.map((_, mask) => ({ mask, modules: masked(base, bits, mask) }));
  const costs = all.map(({ modules }) => penalty(modules));
  return all[costs.indexOf(Math.min(...costs))];
}

const SVG = "http://www.w3.org/2000/svg";
// Readers want as much white around it.
const QUIET_ZONE = 4;

/** A picture of a code; null for a text that is too long. */
export function picture(text, name) {
  const modules = encoded(text)?.modules;
  if (!modules) return null;
  const size = modules.length + 2 * QUIET_ZONE;
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  for (const [key, value] of Object.entries({ class: "qr", viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": name, "shape-rendering": "crispEdges" })) svg.setAttribute(key, value);
  path.setAttribute("d", modules.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x + QUIET_ZONE} ${y + QUIET_ZONE}h1v1h-1z` : ""))).join(""));
  svg.append(path);
  return svg;
}
