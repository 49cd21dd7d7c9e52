// Where the tone of a Vietnamese syllable is written. One key a tone, on the syllable that was typed
// last, so that nobody has to find a letter with two marks on it.

export const TONES = [["sắc", "\u0301"], ["huyền", "\u0300"], ["hỏi", "\u0309"], ["ngã", "\u0303"], ["nặng", "\u0323"]];
const ANY_TONE = /[\u0301\u0300\u0309\u0303\u0323]/gu;
const VOWELS = "aăâeêioôơuưy";
const MARKED = "ăâêôơư";

const bare = (letter) => letter.normalize("NFD").replace(ANY_TONE, "").normalize("NFC");
const sound = (letter) => bare(letter).toLowerCase();

/** The text with the tone on its last syllable; given again, a tone is taken away. */
export function toned(text, tone) {
  const whole = text.normalize("NFC");
  const [syllable] = whole.match(/\p{L}*$/u);
  const letters = [...syllable];
  const place = placeOf(letters.map(sound));
  if (place < 0) return text;
  const wanted = (bare(letters[place]) + tone).normalize("NFC");
  const taken = letters[place] === wanted;
  const written = letters.map(bare);
  if (!taken) written[place] = wanted;
  return whole.slice(0, whole.length - syllable.length) + written.join("");
}

/** Which letter of a syllable bears the tone; -1 where there is no vowel. */
function placeOf(letters) {
  let last = letters.length - 1;
  while (last >= 0 && !VOWELS.includes(letters[last])) last -= 1;
  if (last < 0) return -1;
  let first = last;
  while (first > 0 && VOWELS.includes(letters[first - 1])) first -= 1;
  // "qu" and "gi" are consonants before another vowel.
  const onset = (letters[first - 1] ?? "") + letters[first];
  if (first < last && (onset === "qu" || onset === "gi")) first += 1;
  for (let place = last; place >= first; place -= 1) if (MARKED.includes(letters[place])) return place;
  if (last < letters.length - 1) return last; // toán, huyền
  return last - first === 2 ? first + 1 : first; // ngoài; hòa, mía
}
