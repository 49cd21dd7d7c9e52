// What staff see behind a PIN: what waits, when it was last sent, what was refused, the release.
import { element } from "./element.js";
import { keyboard } from "./keyboard.js";
import { flush, state } from "./queue.js";
import * as store from "./store.js";

const TRIES = 5;
const PAUSE_MS = 60_000;
let wrong = 0;
let pausedUntil = 0;

export function openStaffScreen(parts) {
  const { say, show, leave } = parts;
  const input = element("input", { id: "pin", type: "password", inputmode: "numeric", autocomplete: "off", maxlength: 8 });
  const error = element("p", { class: "error", role: "alert" });
  const enter = async (event) => {
    event.preventDefault();
    if (performance.now() < pausedUntil) { error.textContent = say("pin_wait"); return; }
    if (input.value === (await store.fact("pin"))) { wrong = 0; return showState(parts); }
    wrong += 1;
    if (wrong >= TRIES) { wrong = 0; pausedUntil = performance.now() + PAUSE_MS; }
    input.value = "";
    error.textContent = say("pin_wrong");
  };
  show(element("form", { class: "message staff", onsubmit: enter }, element("h1", {}, say("staff")),
    element("label", { for: "pin" }, say("pin")), input, keyboard(input, say, "pad"), error,
    element("button", { class: "start" }, say("open")),
    element("button", { class: "quiet", type: "button", onclick: leave }, say("leave"))));
  input.focus();
}

async function showState(parts) {
  const { say, show, leave, heartbeat, kiosk } = parts;
  const [queue, aside, refused, percent, lost] = [await store.countWaiting(), await store.countAside(), await store.setAside(), await store.storagePercent(), (await store.fact("lost")) ?? 0];
  const row = (name, value, bad = false) => [element("dt", {}, name), element("dd", { class: bad ? "bad" : "" }, String(value))];
  show(element("section", { class: "message staff" }, element("h1", {}, say("staff")),
    element("dl", {},
      ...row(say("point"), kiosk.configuration?.point.name ?? ""),
      ...row(say("queue"), queue),
      ...row(say("last_sync"), state.lastSync ? state.lastSync.toLocaleString(kiosk.language) : say("never")),
      ...row(say("network"), state.trouble ? say(`trouble_${state.trouble}`) : say("network_good"), Boolean(state.trouble)),
      ...row(say("aside"), aside, aside > 0),
      ...row(say("lost"), lost, lost > 0),
      ...row(say("storage"), percent < 0 ? "?" : `${percent} %`, percent >= 80),
      ...row(say("release"), kiosk.release ?? "")),
    refused.length > 0 && element("ul", {}, ...refused.map((each) => element("li", {}, `${each.answered_at}: ${each.problem?.detail ?? each.problem?.title ?? ""}`))),
    element("button", { class: "start", onclick: async () => { await heartbeat(); await flush(); showState(parts); } }, say("send_now")),
    element("button", { class: "start second", onclick: async () => { await kiosk.registration?.update(); leave(); } }, say("update")),
    element("button", { class: "quiet", onclick: leave }, say("leave"))));
}
