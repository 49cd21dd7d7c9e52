// A questionnaire as a kiosk asks it, from the beginning to the thanks; nothing is kept or sent.
import { silence } from "./kiosk/aloud.js";
import { element } from "./kiosk/element.js";
import { Respondent } from "./kiosk/respondent.js";

const { form, words, languages, unit } = Object.fromEntries(
  Object.entries(document.body.dataset).map(([name, value]) => [name, name === "unit" ? value : JSON.parse(value)]),
);
const screen = document.getElementById("screen");
const shown = { language: document.documentElement.lang, respondent: null };

const say = (key, values = {}, language = shown.language) => ((words[language] ?? words.vi)[key] ?? words.vi[key]).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

function show(content) {
  screen.replaceChildren(
    element("header", {}, element("p", { class: "unit" }, unit),
      element("div", { class: "languages" }, ...Object.entries(languages).map(([code, name]) => element("button", { class: "quiet", lang: code, "aria-pressed": String(code === shown.language), onclick: () => speak(code) }, name)))),
    element("main", {}, content),
  );
  scrollTo(0, 0);
}

function speak(language) {
  shown.language = language;
  document.documentElement.lang = language;
  if (!shown.respondent) { begin(); return; }
  shown.respondent.language = language;
  shown.respondent.ask();
}

function thank() {
  silence();
  shown.respondent = null;
  show(element("section", { class: "message", id: "thanks", onclick: begin }, element("h1", {}, say("thanks")), element("p", {}, say("use"))));
}

function begin() {
  shown.respondent = null;
  const respondent = new Respondent({ form, language: shown.language, say, show, done: thank, ended: thank, began: () => { shown.respondent = respondent; } });
  // From the page of one question it begins there.
  const place = respondent.items.findIndex((item) => location.hash === `#q-${item.code}`);
  if (place > 0) { respondent.place = place; respondent.start(); }
  if (place > 0 || !respondent.long) { respondent.ask(); return; }
  show(element("section", { class: "message" }, element("h1", {}, form.title[shown.language] ?? form.title.vi),
    element("p", {}, say("promise", { questions: respondent.items.filter((item) => !item.shown_if).length, minutes: form.estimated_minutes })),
    element("button", { class: "start", onclick: () => { respondent.start(); respondent.ask(); } }, say("start"))));
}

begin();
