// One respondent's way through the form, a question a screen. Everything about the respondent is
// in this object: when it is dropped, nothing of it is left for the next one.
import { silence, speakAloud, voiceOf, whenVoices } from "./aloud.js";
import { element, face } from "./element.js";
import { read, written } from "./numbers.js";

const FACES = { 2: [1, 5], 3: [1, 3, 5], 4: [1, 2, 4, 5], 5: [1, 2, 3, 4, 5] };
// Long enough to see which face was taken, short enough not to wait.
const SEEN_MS = 220;

export class Respondent {
  constructor({ form, language, say, show, done, began }) {
    Object.assign(this, { form, language, say, show, done, began });
    this.items = [...form.factors.flatMap((factor) => factor.items), ...form.more];
    this.answers = {};
    // Numbers as they were typed, and the item whose text is none that it takes.
    this.typed = {};
    this.refused = null;
    this.place = 0;
    this.startedAt = null;
  }

  wording(text) { return text[this.language] ?? text.vi; }

  /** An answer to an item that is not asked itself shows no other: hidden hides on. */
  applies(item) {
    const condition = item.shown_if;
    return !condition || condition.is.includes(this.given()[condition.item]);
  }

  /** Answers to items that apply: one that no longer does is left out. */
  given() {
    const given = {};
    for (const item of this.items) {
      if (item.code in this.answers && (!item.shown_if || item.shown_if.is.includes(given[item.shown_if.item]))) given[item.code] = this.answers[item.code];
    }
    return given;
  }

  ask() {
    this.refused = null;
    const item = this.items[this.place];
    const asked = this.items.filter((each) => this.applies(each));
    const screen = element("section", { class: `question ${item.kind}` });
    const heading = element("h1", { tabindex: "-1" }, this.wording(item.text));
    const controls = this.controls(item).filter(Boolean);
    silence();
    screen.append(heading, ...controls);
    const aloud = this.aloud(heading, controls);
    const { language } = this;
    whenVoices(() => (voiceOf(language) ? heading.after(aloud) : aloud.remove()));
    const foot = element("div", { class: "foot" });
    if (this.place > 0) foot.append(element("button", { class: "quiet", onclick: () => this.back() }, `← ${this.say("back")}`));
    if (asked.length > 1) foot.append(element("progress", { max: asked.length, value: asked.indexOf(item), "aria-label": this.say("progress") }));
    if (!item.required && !this.movesByItself(item)) foot.append(element("button", { class: "next", onclick: () => this.next() }, this.say("next")));
    else if (!item.required) foot.append(element("button", { class: "quiet", onclick: () => this.skip(item) }, this.say("skip")));
    screen.append(foot);
    this.show(screen);
    if (this.place > 0) heading.focus();
  }

  /** A button that reads the question and its answers. */
  aloud(heading, controls) {
    const button = element("button", { class: "quiet aloud", "aria-pressed": "false", onclick: () => {
      const speaking = button.getAttribute("aria-pressed") === "true";
      button.setAttribute("aria-pressed", String(!speaking));
      if (speaking) { silence(); return; }
      const choices = controls.flatMap((part) => (part.matches(".choice") ? [part] : [...part.querySelectorAll(".choice")]));
      speakAloud([heading, ...choices].map((part) => part.textContent), this.language, () => button.setAttribute("aria-pressed", "false"));
    } }, this.say("aloud"));
    return button;
  }

  movesByItself(item) { return ["rated", "single_choice", "zero_to_ten"].includes(item.kind); }

  controls(item) {
    switch (item.kind) {
      case "rated": {
        const scale = this.form.scales[item.scale];
        const faces = FACES[scale.levels.length] || [];
        return [
          element("div", { class: "faces" }, ...scale.levels.map((level, place) => this.choice(item, level.value, this.wording(level.text), faces[place]))),
          this.noOpinion(item, scale.no_opinion),
        ];
      }
      case "single_choice":
        return [element("div", { class: "options" }, ...item.options.map((option) => this.choice(item, option.value, this.wording(option.text)))), this.noOpinion(item, item.no_opinion)];
      case "multiple_choice":
        return [element("p", { class: "several" }, this.say("several")), element("div", { class: "options" }, ...item.options.map((option) => this.toggle(item, option)))];
      case "zero_to_ten":
        return [element("div", { class: "tens" }, ...Array.from({ length: 11 }, (_, value) => this.choice(item, value, String(value)))), this.noOpinion(item, item.no_opinion)];
      case "percent":
      case "number":
        return [this.number(item), this.noOpinion(item, item.no_opinion)];
      default:
        return [this.text(item)];
    }
  }

  choice(item, value, label, number) {
    const button = element("button", { class: "choice", "aria-pressed": String(this.answers[item.code] === value), onclick: () => this.take(item, value, button) }, number && face(number), element("span", {}, label));
    return button;
  }

  noOpinion(item, noOpinion) {
    if (!noOpinion) return null;
    const button = element("button", { class: "choice none", "aria-pressed": String(this.answers[item.code] === null), onclick: () => this.take(item, null, button) }, this.wording(noOpinion.text));
    return button;
  }

  toggle(item, option) {
    const chosen = () => (this.answers[item.code] || []).includes(option.value);
    const button = element("button", {
      class: "choice", "aria-pressed": String(chosen()),
      onclick: () => {
        this.start();
        const others = (this.answers[item.code] || []).filter((value) => value !== option.value);
        const now = chosen() ? others : [...others, option.value].sort((a, b) => a - b);
        if (now.length) this.answers[item.code] = now; else delete this.answers[item.code];
        button.setAttribute("aria-pressed", String(chosen()));
      },
    }, this.wording(option.text));
    return button;
  }

  number(item) {
    const error = element("p", { class: "error", id: "number-error", role: "alert" });
    const take = () => {
      const wrong = input.value.trim() ? this.wrongWith(item, input.value) : "";
      input.setAttribute("aria-invalid", String(Boolean(wrong)));
      this.typed[item.code] = input.value;
      if (!wrong && input.value.trim()) this.answers[item.code] = read(input.value, item.decimals ?? 0, this.language).value;
      else delete this.answers[item.code];
      // Told at "next", not at every digit; what was told goes as soon as it is mended.
      this.refused = wrong && (() => { error.textContent = wrong; input.focus(); });
      if (!wrong) error.textContent = "";
    };
    const input = element("input", {
      inputmode: "decimal", autocomplete: "off", maxlength: 40, "aria-label": this.wording(item.text), "aria-describedby": "number-error", value: this.typed[item.code] ?? "",
      oninput: () => { this.start(); take(); },
    });
    // In another language the same text may say another number.
    if (input.value.trim() && this.answers[item.code] !== null) take();
    return element("div", { class: "typed" }, input, element("span", {}, item.kind === "percent" ? "%" : item.unit ? this.wording(item.unit) : ""), error);
  }

  /** Why a typed number is not taken, in a sentence; empty where it is. */
  wrongWith(item, text) {
    const decimals = item.decimals ?? 0;
    const { value, two } = read(text, decimals, this.language);
    if (two) return this.say("two_numbers", { text: text.trim(), one: two[0], other: two[1] });
    const least = item.minimum ?? 0;
    if (value === undefined || value < least || value > item.maximum) {
      return this.say("not_a_number", { minimum: written(least, decimals, this.language), maximum: written(item.maximum, decimals, this.language) });
    }
    // The same steps, from the least value on, as the server counts.
    const steps = (value - least) * 10 ** decimals;
    if (Math.abs(steps - Math.round(steps)) <= 1e-6) return "";
    return decimals ? this.say("too_many_decimals", { decimals }) : this.say("not_whole");
  }

  text(item) {
    const input = element(item.kind === "long_text" ? "textarea" : "input", {
      rows: 4, maxlength: item.max_length, autocomplete: "off", autocorrect: "off", spellcheck: "false", "aria-label": this.wording(item.text),
      oninput: () => { this.start(); if (input.value.trim()) this.answers[item.code] = input.value; else delete this.answers[item.code]; },
    });
    input.value = this.answers[item.code] ?? "";
    return element("div", { class: "typed" }, input);
  }

  start() {
    if (this.startedAt === null) {
      this.startedAt = Date.now();
      this.began();
    }
  }

  take(item, value, button) {
    if (this.moving) return; // a trembling hand taps twice
    this.moving = true;
    this.start();
    this.answers[item.code] = value;
    delete this.typed[item.code];
    this.refused = null;
    for (const each of document.querySelectorAll(".choice")) each.setAttribute("aria-pressed", String(each === button));
    setTimeout(() => { this.moving = false; this.next(); }, SEEN_MS);
  }

  skip(item) {
    this.start();
    delete this.answers[item.code];
    this.next();
  }

  next() {
    this.start();
    if (this.refused) return this.refused();
    do this.place += 1; while (this.place < this.items.length && !this.applies(this.items[this.place]));
    if (this.place < this.items.length) this.ask();
    else this.done(this);
  }

  back() {
    do this.place -= 1; while (this.place > 0 && !this.applies(this.items[this.place]));
    this.ask();
  }
}
