// Gives every question of the citizen's form a button that reads it and its answers aloud.
import { silence, speakAloud, voiceOf, whenVoices } from "./kiosk/aloud.js";

const form = document.querySelector("form[data-aloud]");
const language = document.documentElement.lang;

function speak(button, question) {
  const speaking = button.getAttribute("aria-pressed") === "true";
  for (const each of form.querySelectorAll(".aloud")) each.setAttribute("aria-pressed", "false");
  if (speaking) { silence(); return; }
  button.setAttribute("aria-pressed", "true");
  // A voice that was silenced ends later: by then another question may be read.
  const mine = (button.dataset.turn = String(Number(button.dataset.turn ?? 0) + 1));
  const texts = [...question.querySelectorAll(".ask, .several, .box, #wish-terms")].map((part) => part.textContent.trim());
  speakAloud(texts, language, () => { if (button.dataset.turn === mine) button.setAttribute("aria-pressed", "false"); });
}

function offer(question) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "aloud";
  button.textContent = form.dataset.aloud;
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", () => speak(button, question));
  question.querySelector(".ask").after(button);
}

if (form) {
  whenVoices(() => {
    const there = Boolean(voiceOf(language));
    const buttons = form.querySelectorAll(".aloud");
    if (there && !buttons.length) form.querySelectorAll(".q").forEach(offer);
    for (const button of buttons) button.hidden = !there;
  });
  addEventListener("pagehide", silence);
}
