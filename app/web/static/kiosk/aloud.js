// Reads questions aloud, for whoever does not read well: where the device has a voice of the
// language, and nowhere else, since a foreign voice makes noise of it. Answers are never spoken.
const speech = globalThis.speechSynthesis;

/** A voice of the language; one of the device itself is heard without a network too. */
export function voiceOf(language) {
  const own = (speech?.getVoices() ?? []).filter((voice) => voice.lang.toLowerCase().split(/[-_]/)[0] === language);
  return own.find((voice) => voice.localService) ?? own[0] ?? null;
}

/**
 * Calls back now, and again once the browser has found its voices, which may take seconds. There is
 * one who waits, the last: on a kiosk each question would leave one behind, for days.
 */
export function whenVoices(look) {
  look();
  if (speech) speech.onvoiceschanged = look;
}

export const silence = () => speech?.cancel();

/** Speaks each text in turn; what was being spoken ends. */
export function speakAloud(texts, language, ended = () => {}) {
  const voice = voiceOf(language);
  silence();
  if (!voice) return ended();
  texts.forEach((text, place) => {
    const spoken = new SpeechSynthesisUtterance(text);
    spoken.voice = voice;
    spoken.lang = voice.lang;
    // Somewhat slower than a voice's own pace: the questions are official sentences.
    spoken.rate = 0.9;
    if (place === texts.length - 1) spoken.onend = ended;
    spoken.onerror = ended;
    speech.speak(spoken);
  });
}
