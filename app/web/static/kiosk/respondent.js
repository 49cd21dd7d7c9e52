// One respondent's way through the form, a question a screen. Everything about the respondent is
// in this object: when it is dropped, nothing of it is left for the next one.
import { silence, speakAloud, voiceOf, whenVoices } from "./aloud.js";
import { element, face } from "./element.js";
import { keyboard } from "./keyboard.js";
import { read, written } from "./numbers.js";

const FACES = { 2: [1, 5], 3: [1, 3, 5], 4: [1, 2, 4, 5], 5: [1, 2, 3, 4, 5] };
// Long enough to see which face was taken, short enough not to wait.
const SEEN_MS = 220;

/** Buttons of a question; a high screen shares its height among them. */
function rows(name, buttons) {
  const made = element("div", { class: name }, ...buttons);
  made.style.setProperty("--rows", buttons.length);
  return made;
}

export class Respondent {
  constructor({ form, language, say, show, done, ended, began }) {
    Object.assign(this, { form, language, say, show, done, ended, began });
    this.items = [...form.factors.flatMap((factor) => factor.items), ...form.more];
    this.answers = {};
    // Numbers as they were typed, so that a wrong one is still there to be put right.
    this.typed = {};
    this.place = 0;
    this.startedAt = null;
    // What is left to be said when all is answered: whether it was to the end of the form.
    this.finished = null;
  }

  wording(text) { return text[this.language] ?? text.vi; }

  /** An answer to an item that is not asked itself shows no other: hidden hides on. */
  applies(item) {
    const condition = item.shown_if;
    return !condition || condition.is.includes(this.given()[condition.item]);
  }

  /** Whether the form is begun by a touch and may be ended before its end: one with many questions. */
  get long() { return this.items.filter((item) => !item.shown_if).length > 1; }

  /** Answers to items that apply: one that no longer does is left out. */
  given() {
    const given = {};
    for (const item of this.items) {
      if (item.code in this.answers && (!item.shown_if || item.shown_if.is.includes(given[item.shown_if.item]))) given[item.code] = this.answers[item.code];
    }
    return given;
  }

  ask() {
    const item = this.items[this.place];
    const asked = this.items.filter((each) => this.applies(each));
    const screen = element("section", { class: `question ${item.kind}` });
    const heading = element("h1", { tabindex: "-1" }, this.wording(item.text));
    const controls = this.controls(item).filter(Boolean);
    silence();
    screen.append(heading, ...controls);
    const aloud = this.aloud([heading].concat(controls.flatMap((part) => (part.matches(".choice, .several") ? part : Array.from(part.querySelectorAll(".choice"))))));
    const { language } = this;
    whenVoices(() => (voiceOf(language) ? heading.after(aloud) : aloud.remove()));
    const foot = element("div", { class: "foot" });
    if (this.place > 0) foot.append(element("button", { class: "quiet", onclick: () => this.back() }, `← ${this.say("back")}`));
    if (asked.length > 1) foot.append(element("progress", { max: asked.length, value: asked.indexOf(item), "aria-label": this.say("progress") }), element("span", {}, `${asked.indexOf(item) + 1}/${asked.length}`));
    if (!this.movesByItself(item)) foot.append(element("button", { class: "next", onclick: () => this.goOn(item) }, this.say("next")));
    else if (!item.required) foot.append(element("button", { class: "quiet", onclick: () => this.skip(item) }, this.say("skip")));
    this.error = element("p", { class: "error wrong", role: "alert" });
    screen.append(this.error);
    if (this.mayEnd(asked)) {
      screen.append(element("button", { class: "quiet end", onclick: () => this.end(item) }, this.say("end_early")));
    }
    screen.append(foot);
    this.show(screen);
    if (this.place > 0) heading.focus({ preventScroll: true });
    // Seen again, or in another language, a wrong number says at once what is wrong with it.
    if ((this.typed[item.code] ?? "").trim()) this.isRight(item);
  }

  /** A button that reads the question and its answers. */
  aloud(parts) {
    const button = element("button", { class: "quiet aloud", "aria-pressed": "false", onclick: () => {
      const speaking = button.getAttribute("aria-pressed") === "true";
      button.setAttribute("aria-pressed", String(!speaking));
      if (speaking) { silence(); return; }
      speakAloud(parts.map((part) => part.textContent), this.language, () => button.setAttribute("aria-pressed", "false"));
    } }, this.say("aloud"));
    return button;
  }

  /** Go on if what stands there is fit to be kept; else say what is wrong with it, and stay. */
  goOn(item) {
    if (this.isRight(item)) this.next();
  }

  isRight(item) {
    const wrong = this.wrong(item);
    this.error.textContent = wrong;
    const input = document.querySelector(".typed input, .typed textarea");
    input?.setAttribute("aria-invalid", String(wrong !== ""));
    if (wrong) input?.focus();
    return wrong === "";
  }

  /** What keeps a respondent from going on, as a sentence; nothing where nothing does. */
  wrong(item) {
    const typed = (this.typed[item.code] ?? "").trim();
    if (typed && !(item.code in this.answers)) return this.wrongWith(item, typed);
    if (!item.required || item.code in this.answers) return "";
    return item.kind === "multiple_choice" ? this.say("choose_some") : this.say("answer_needed");
  }

  /** Whether nothing that is needed lacks, or the questionnaire takes what is unfinished all the same. */
  mayEndEarly() {
    return this.form.keep_partial || !this.items.some((item) => item.required && this.applies(item) && !(item.code in this.answers));
  }

  /** A long form may be ended once something was said, and as long as something is left. */
  mayEnd(asked) {
    return this.long && Object.keys(this.given()).length > 0 && asked.at(-1) !== this.items[this.place] && this.mayEndEarly();
  }

  end(item) {
    if (this.wrong({ ...item, required: false })) this.isRight(item);
    else this.ended(this);
  }

  movesByItself(item) { return ["rated", "single_choice", "zero_to_ten"].includes(item.kind); }

  controls(item) {
    switch (item.kind) {
      case "rated": {
        const scale = this.form.scales[item.scale];
        const faces = FACES[scale.levels.length] || [];
        return [
          rows("faces", scale.levels.map((level, place) => this.choice(item, level.value, this.wording(level.text), faces[place]))),
          this.noOpinion(item, scale.no_opinion),
        ];
      }
      case "single_choice":
        return [rows("options", item.options.map((option) => this.choice(item, option.value, this.wording(option.text)))), this.noOpinion(item, item.no_opinion)];
      case "multiple_choice":
        return [element("p", { class: "several" }, this.say("several")), rows("options", item.options.map((option) => this.toggle(item, option))), this.noOpinion(item, item.no_opinion)];
      case "zero_to_ten":
        return [element("div", { class: "tens" }, ...Array.from({ length: 11 }, (_, value) => this.choice(item, value, String(value)))), this.noOpinion(item, item.no_opinion)];
      case "percent":
      case "number":
        return [...this.number(item), this.noOpinion(item, item.no_opinion)];
      default:
        return this.text(item);
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
        document.querySelector(".none")?.setAttribute("aria-pressed", "false");
        this.error.textContent = "";
      },
    }, this.wording(option.text));
    return button;
  }

  number(item) {
    const take = () => {
      const typed = (this.typed[item.code] = input.value).trim();
      if (typed && !this.wrongWith(item, typed)) this.answers[item.code] = read(typed, item.decimals ?? 0, this.language).value;
      else delete this.answers[item.code];
    };
    const input = element("input", {
      inputmode: "decimal", autocomplete: "off", maxlength: 40, "aria-label": this.wording(item.text), value: this.typed[item.code] ?? "",
      oninput: () => {
        this.start();
        take();
        this.error.textContent = "";
        input.setAttribute("aria-invalid", "false");
        document.querySelector(".none")?.setAttribute("aria-pressed", "false");
      },
    });
    // In another language the same text may say another number.
    if (input.value.trim() && this.answers[item.code] !== null) take();
    const signs = [(item.minimum ?? 0) < 0 && "-", item.decimals > 0 && (this.language === "en" ? "." : ",")].filter(Boolean);
    return [element("div", { class: "typed" }, input, element("span", {}, item.kind === "percent" ? "%" : item.unit ? this.wording(item.unit) : "")), keyboard(input, this.say, "pad", signs)];
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
      rows: 3, maxlength: item.max_length, autocomplete: "off", autocorrect: "off", spellcheck: "false", "aria-label": this.wording(item.text),
      oninput: () => {
        this.start();
        if (input.value.trim()) this.answers[item.code] = input.value; else delete this.answers[item.code];
        this.error.textContent = "";
        input.setAttribute("aria-invalid", "false");
      },
    });
    input.value = this.answers[item.code] ?? "";
    return [element("div", { class: "typed" }, input), keyboard(input, this.say, "text")];
  }

  start() {
    if (this.startedAt === null) {
      this.startedAt = performance.now();
      this.began();
    }
  }

  take(item, value, button) {
    if (this.moving) return; // a trembling hand taps twice
    this.moving = true;
    this.start();
    this.answers[item.code] = value;
    delete this.typed[item.code];
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
    do this.place += 1; while (this.place < this.items.length && !this.applies(this.items[this.place]));
    if (this.place < this.items.length) this.ask();
    else this.done(this);
  }

  back() {
    do this.place -= 1; while (this.place > 0 && !this.applies(this.items[this.place]));
    this.ask();
  }
}
