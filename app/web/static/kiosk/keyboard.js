// A keyboard on the screen, for kiosks have none and their own often lacks Vietnamese. A keyboard that
// is plugged in works as well.
import { element } from "./element.js";
import { TONES, toned } from "./tones.js";

const LETTERS = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];
const OWN_LETTERS = "ăâđêôơư";
const SIGNS = ["1234567890", "-/:;()&%+=", ".,?!'\"@#"];
const CODE = ["1234567890", "QWERTYUIOP", "ASDFGHJKL", "ZXCVBNM-"];
const PAD = ["123", "456", "789"];
// As narrow as a phone, it is one, and brings its own.
const PHONE = "(max-width: 34rem)";

/** A keyboard for a field: of "text", of a "code", or a pad of digits with some `signs`. */
export function keyboard(input, say, kind, signs = []) {
  if (matchMedia(PHONE).matches) return null;
  input.setAttribute("inputmode", "none");
  const box = element("div", { class: `keyboard ${kind}`, role: "group", "aria-label": say("keyboard") });
  let upper = false;
  let layer = "letters";

  const put = (text, from = input.selectionStart) => {
    const length = input.value.length - (input.selectionEnd - from) + text.length;
    if (input.maxLength >= 0 && length > input.maxLength) return;
    input.setRangeText(text, from, input.selectionEnd, "end");
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const erase = () => {
    const here = input.selectionStart;
    put("", here === input.selectionEnd ? Math.max(0, here - (input.value.slice(0, here).match(/.$/su)?.[0].length ?? 0)) : here);
  };
  const setTone = (tone) => {
    const before = input.value.slice(0, input.selectionEnd);
    const after = toned(before, tone);
    if (after !== before) put(after, 0);
  };
  // A finger on a key leaves the caret where it is, and shows it.
  const hold = (event) => { event.preventDefault(); input.focus(); };
  const key = (label, act, options = {}) => element("button", { type: "button", class: "key", ...options, onclick: act, onmousedown: hold }, label);
  const letter = (sign) => {
    const shown = upper ? sign.toUpperCase() : sign;
    return key(shown, () => { put(shown); if (upper) { upper = false; draw(); } });
  };
  const row = (...keys) => element("div", { class: "keys" }, ...keys.flat().filter(Boolean));
  // One row on a broad screen, two on a high one.
  const part = (keys) => element("div", { class: "part" }, ...keys);
  const erasing = () => key("⌫", erase, { class: "key wide", "aria-label": say("key_erase") });
  const change = (label, name, wanted) => key(label, () => { layer = wanted; draw(); input.focus(); }, { class: "key wide", "aria-label": name });

  const text = () => {
    const rows = layer === "letters"
      ? [element("div", { class: "keys marks" }, part([...OWN_LETTERS].map(letter)), part(TONES.map(([name, tone]) => key(name, () => setTone(tone), { class: "key tone", lang: "vi" })))),
        row([...LETTERS[0]].map(letter)), row([...LETTERS[1]].map(letter)),
        row(key("⇧", () => { upper = !upper; draw(); }, { class: "key wide", "aria-label": say("key_upper"), "aria-pressed": String(upper) }), [...LETTERS[2]].map(letter), erasing())]
      : [row([...SIGNS[0]].map(letter)), row([...SIGNS[1]].map(letter)), row([...SIGNS[2]].map(letter), erasing())];
    const other = layer === "letters" ? change("123", say("key_signs"), "signs") : change("abc", say("key_letters"), "letters");
    return [...rows, row(other, key(",", () => put(",")), key(" ", () => put(" "), { class: "key space", "aria-label": say("key_space") }), key(".", () => put(".")),
      input.tagName === "TEXTAREA" && key("↵", () => put("\n"), { class: "key wide", "aria-label": say("key_line") }))];
  };
  const draw = () => {
    if (kind === "text") box.replaceChildren(...text());
    else if (kind === "code") box.replaceChildren(...CODE.map((signsOfRow, place) => row([...signsOfRow].map(letter), place === CODE.length - 1 && erasing())));
    else box.replaceChildren(...PAD.map((digits) => row([...digits].map(letter))), row(signs.map(letter), letter("0"), erasing()));
  };
  draw();
  return box;
}
