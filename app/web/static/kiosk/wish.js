// Whether a respondent wants a reply: at the end, of whoever wrote something or gave a low mark. Of others
// there is nothing to reply to, and who is content is thanked at a touch.
import { silence, voiceOf, whenVoices } from "./aloud.js";
import { element } from "./element.js";

/** Whether there is a mark of the lower half of its scale, as app/cases/marks.py has it; a test holds both together. */
export function anyLow(form, given) {
  return [...form.factors.flatMap((factor) => factor.items), ...form.more].some((item) => {
    if (item.kind !== "rated") return false;
    const { levels, satisfied } = form.scales[item.scale];
    return levels.slice(0, Math.floor(levels.length / 2)).some(({ value }) => value === given[item.code] && !satisfied.includes(value));
  });
}

export function mayWish(respondent) {
  const given = respondent.given();
  return anyLow(respondent.form, given) || Object.values(given).some((answer) => typeof answer === "string" && answer.trim());
}

/** The question; `answered` is told whether a reply is wanted. */
export function wishScreen(respondent, { say, answered, back }) {
  const heading = element("h1", { tabindex: "-1" }, say("wish"));
  const terms = element("p", { class: "terms", id: "wish-terms" }, say("wish_terms"));
  const yes = element("button", { class: "choice", "aria-describedby": "wish-terms", onclick: () => answered(true) }, say("wish_yes"));
  const no = element("button", { class: "choice", onclick: () => answered(false) }, say("wish_no"));
  const screen = element("section", { class: "question wish" }, heading, terms, element("div", { class: "options" }, no, yes),
    element("div", { class: "foot" }, element("button", { class: "quiet", onclick: back }, `← ${say("back")}`)));
  screen.querySelector(".options").style.setProperty("--rows", 2);
  silence();
  const aloud = respondent.aloud([heading, terms, no, yes]);
  whenVoices(() => (voiceOf(respondent.language) ? heading.after(aloud) : aloud.remove()));
  return screen;
}
