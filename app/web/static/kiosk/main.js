// The kiosk: pairs once, then asks one respondent after another, with a network or without.
import { silence } from "./aloud.js";
import { look } from "./clock.js";
import { hashOf, newCode } from "./codes.js";
import { element } from "./element.js";
import { keyboard } from "./keyboard.js";
import { call, codes, flush, onChange, state } from "./queue.js";
import { Receipt } from "./receipt.js";
import { Respondent } from "./respondent.js";
import { openStaffScreen } from "./staff.js";
import * as store from "./store.js";
import { mayWish, wishScreen } from "./wish.js";

const WORDS = JSON.parse(document.body.dataset.words);
const THANKS_MS = 6000;
// Of a configuration that was kept before it said how long a code is shown.
const CODE_S = 90;
const HEARTBEAT_MS = 60_000;
const screen = document.getElementById("screen");
// `redraw` shows the wish for a reply, or its code, in another language: what is no question of the form.
const kiosk = { language: "vi", configuration: null, respondent: null, redraw: null, release: null, registration: null };
let receipt = null;
let idleTimer = null;
let thanksTimer = null;

// A further language's words come with the questionnaire that speaks it; those it lacks are Vietnamese.
const wordsOf = (language) => WORDS[language] ?? kiosk.configuration?.words?.[language] ?? WORDS.vi;
const OWN_LANGUAGES = [{ code: "vi", name: "Tiếng Việt" }, { code: "en", name: "English" }];

const say = (key, values = {}, language = kiosk.language) => (wordsOf(language)[key] ?? WORDS.vi[key]).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");

function show(content) {
  screen.replaceChildren(header(), element("main", {}, content), footer());
  // Whoever had scrolled down begins the next question at its top.
  scrollTo(0, 0);
}

function header() {
  const unit = kiosk.configuration?.unit[kiosk.language] ?? kiosk.configuration?.unit.vi ?? "";
  // Held for three seconds, the unit's name leads to the staff's screen.
  const name = element("p", { class: "unit" }, unit);
  let held = null;
  name.addEventListener("pointerdown", () => { held = setTimeout(staff, 3000); });
  for (const end of ["pointerup", "pointerleave", "pointercancel"]) name.addEventListener(end, () => clearTimeout(held));
  return element("header", {}, name,
    kiosk.configuration?.synthetic && element("p", { class: "note" }, say("synthetic")),
    element("div", { class: "languages" }, ...(kiosk.configuration?.languages ?? OWN_LANGUAGES).map(({ code, name: called }) => element("button", { class: "quiet", lang: code, "aria-pressed": String(code === kiosk.language), onclick: () => speak(code) }, called))));
}

function footer() {
  return element("footer", { id: "trouble", role: "status" });
}

async function refreshTrouble() {
  const place = document.getElementById("trouble");
  if (!place) return;
  const percent = await store.storagePercent();
  // Of the network a respondent need not know; of a storage that is full, staff must.
  place.textContent = percent >= 90 ? say("storage_full") : state.trouble === "revoked" ? say("revoked") : "";
}

function speak(language) {
  kiosk.language = language;
  document.documentElement.lang = language;
  const current = kiosk.respondent;
  if (current) current.language = language;
  if (kiosk.redraw) kiosk.redraw();
  else if (current) current.ask();
  else begin();
}

// --- one respondent after another ---------------------------------------------------------

function begin() {
  silence();
  clearTimeout(thanksTimer);
  clearTimeout(idleTimer);
  document.querySelector(".countdown")?.remove();
  kiosk.respondent = null;
  kiosk.redraw = null;
  receipt?.forget();
  receipt = null;
  takeNews();
  if (!kiosk.configuration) return pair();
  if (kiosk.configuration.closed) return show(closed(kiosk.configuration.now_at));
  // A configuration that was kept before units could begin later does not say whether its unit is there.
  if (kiosk.configuration.point.state !== "active" || kiosk.configuration.open === false) return show(element("section", { class: "message" }, element("h1", {}, say("paused"))));
  const form = kiosk.configuration.questionnaire;
  const respondent = new Respondent({ form, language: kiosk.language, say, show, done: (each) => finish(each), ended: (each) => finish(each, true), began: () => { kiosk.respondent = respondent; watchIdle(); } });
  // One question with five faces is its own invitation; a whole form is begun by a touch.
  if (!respondent.long) respondent.ask();
  else {
    show(element("section", { class: "message" }, element("h1", {}, form.title[kiosk.language] ?? form.title.vi),
      element("p", {}, say("promise", { questions: respondent.items.filter((item) => !item.shown_if).length, minutes: form.estimated_minutes })),
      respondent.mayEndEarly() && element("p", {}, say("may_end")),
      element("button", { class: "start", onclick: () => { respondent.start(); respondent.ask(); } }, say("start"))));
  }
  refreshTrouble();
}

/** What stands here when the unit is no more: who does its work now. */
function closed(nowAt) {
  const names = nowAt[kiosk.language] ?? nowAt.vi;
  return element("section", { class: "message" }, element("h1", {}, say("closed")), names && element("p", {}, say("closed_now_at", { names })));
}

/** All is answered: whoever has something to be replied to is asked whether they want that. */
function finish(respondent, partial = false) {
  silence();
  if (!mayWish(respondent)) return close(respondent, partial);
  respondent.finished = { partial };
  const leave = () => { respondent.finished = null; kiosk.redraw = null; };
  kiosk.redraw = () => {
    show(wishScreen(respondent, {
      say,
      answered: (wanted) => { if (respondent.finished) { leave(); close(respondent, partial, wanted ? newCode() : null); } },
      back: () => { leave(); if (partial) respondent.ask(); else respondent.back(); },
    }));
    screen.querySelector("h1").focus({ preventScroll: true });
  };
  kiosk.redraw();
}

async function close(respondent, partial, code = null) {
  silence();
  const kept = await keep(respondent, partial, code);
  kiosk.respondent = null;
  clearTimeout(idleTimer);
  if (kept && code) return showCode(kept, code);
  // Whoever comes next need not wait: a touch begins anew.
  show(element("section", { class: "message", id: kept ? "thanks" : "not-kept", onclick: reset },
    element("h1", {}, say(kept ? "thanks" : "not_kept")), element("p", {}, say(kept ? "use" : "tell_staff"))));
  thanksTimer = setTimeout(reset, kept ? THANKS_MS : 4 * THANKS_MS);
}

/** The code stays until it was taken along, or its time is over: a touch by the way does not end it. */
function showCode(id, code) {
  const { reply_url: url, reply_code_s: seconds } = kiosk.configuration;
  receipt = new Receipt({ id, code, address: `${url ?? location.origin}/c`, seconds: seconds ?? CODE_S, say, show, ended: reset });
  kiosk.redraw = () => receipt.draw();
  receipt.draw();
}

codes.another = async (id) => (receipt?.id === id ? receipt.another() : null);
codes.refused = (id) => {
  if (receipt?.id !== id) return;
  receipt.refuse();
  kiosk.redraw = null;
  thanksTimer = setTimeout(reset, 4 * THANKS_MS);
};

/** Put a response into the queue, durably: its id, or nothing if that did not work. Of its code the hash alone is kept. */
async function keep(respondent, partial = false, code = null) {
  const answers = respondent.given();
  const id = uuid7();
  if (!Object.keys(answers).length) return id;
  const form = kiosk.configuration.questionnaire;
  try {
    await look();
    await store.enqueue({
      id, questionnaire: form.code, version: form.version, answered_at: new Date().toISOString(),
      duration_s: Math.min(86_400, Math.round((performance.now() - respondent.startedAt) / 1000)),
      language: respondent.language, answers, ...(partial && { partial }), ...(code && { reply_code_hash: await hashOf(code) }),
    });
  } catch (error) {
    console.warn("a response could not be kept:", error.name);
    await store.keepFact("lost", ((await store.fact("lost").catch(() => 0)) ?? 0) + 1).catch(() => {});
    return null;
  }
  flush();
  return id;
}

function reset() {
  kiosk.language = "vi";
  document.documentElement.lang = "vi";
  begin();
}

/** The moment in 48 bits, then randomness: an id that sorts by time (RFC 9562, version 7). */
function uuid7() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  let moment = Date.now();
  for (let place = 5; place >= 0; place -= 1) { bytes[place] = moment % 256; moment = Math.floor(moment / 256); }
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

// --- left alone ---------------------------------------------------------------------------

function watchIdle() {
  clearTimeout(idleTimer);
  document.querySelector(".countdown")?.remove();
  if (kiosk.respondent) idleTimer = setTimeout(countDown, kiosk.configuration.idle_s * 1000);
}

function countDown() {
  let left = kiosk.configuration.countdown_s;
  const number = element("strong", {}, String(left));
  const stay = element("button", { class: "start", onclick: watchIdle }, say("still_here"));
  document.body.append(element("div", { class: "countdown", role: "alertdialog", "aria-label": say("still_here_question") },
    element("p", {}, say("still_here_question")), number, stay));
  stay.focus();
  const tick = async () => {
    if (!number.isConnected) return;
    left -= 1;
    number.textContent = String(left);
    if (left > 0) { idleTimer = setTimeout(tick, 1000); return; }
    const respondent = kiosk.respondent;
    kiosk.respondent = null;
    // Half an answer of who walked away is kept, and marked, only where the questionnaire says so. Who had
    // answered all and walked away from the wish for a reply wants none.
    if (respondent?.finished) await keep(respondent, respondent.finished.partial);
    else if (respondent && kiosk.configuration.questionnaire.keep_partial) await keep(respondent, true);
    reset();
  };
  idleTimer = setTimeout(tick, 1000);
}

for (const kind of ["pointerdown", "keydown", "input"]) {
  addEventListener(kind, (event) => {
    wake();
    if (kiosk.respondent && !event.target.closest?.(".countdown")) watchIdle();
  });
}

// The same picture for days burns into a screen, and at night nobody needs its light.
let lastTouch = performance.now();
function wake() {
  lastTouch = performance.now();
  document.body.classList.remove("dim");
}
setInterval(() => {
  const hour = new Date().getHours();
  document.body.classList.toggle("dim", performance.now() - lastTouch > 300_000 && (hour >= 19 || hour < 6));
  screen.dataset.shift = String(Math.floor(Date.now() / 60_000) % 4);
}, 30_000);

// --- pairing, news, staff -----------------------------------------------------------------

function pair(problem = "") {
  const input = element("input", { id: "code", autocomplete: "off", autocapitalize: "characters", maxlength: 12, "aria-describedby": "pairing-error" });
  const send = async (event) => {
    event.preventDefault();
    try {
      const answer = await fetch("/api/v1/pairings", { method: "POST", headers: { "Content-Type": "application/json", "Accept-Language": kiosk.language }, body: JSON.stringify({ code: input.value || "-" }) });
      const document_ = await answer.json();
      if (!answer.ok) return pair(document_.detail);
      await store.keepFact("pin", document_.pin);
      await store.keepFact("secret", document_.secret);
      await navigator.storage?.persist?.();
      await fetchConfiguration();
      begin();
      heartbeat();
    } catch { pair(say("no_network")); }
  };
  show(element("form", { class: "message", onsubmit: send }, element("h1", {}, say("pair")),
    element("label", { for: "code" }, say("pair_help")), input, keyboard(input, say, "code"),
    element("p", { class: "error", id: "pairing-error", role: "alert" }, problem),
    element("button", { class: "start" }, say("pair_button"))));
}

async function fetchConfiguration() {
  const { status, document: fresh } = await call("/api/v1/kiosk");
  if (status !== 200) return false;
  await store.keepFact("configuration", fresh);
  kiosk.news = fresh;
  return true;
}

/** New questions and a new release take effect between two respondents, never during one. */
function takeNews() {
  if (kiosk.news) {
    kiosk.configuration = kiosk.news;
    kiosk.news = null;
  }
  if (kiosk.registration?.waiting) kiosk.registration.waiting.postMessage("take over");
}

async function heartbeat() {
  if (!(await store.fact("secret"))) return;
  kiosk.release ??= await releaseOfWorker();
  try {
    const { status, document: told } = await call("/api/v1/kiosk/status", {
      method: "POST",
      body: JSON.stringify({ queue: await store.countWaiting(), aside: await store.countAside(), release: kiosk.release ?? "0", sent_at: new Date().toISOString(), storage_percent: await store.storagePercent() }),
    });
    if (status === 200) {
      if (state.trouble === "network" || state.trouble === "server" || state.trouble === "revoked") state.trouble = null;
      if (told.configuration !== (kiosk.news ?? kiosk.configuration)?.hash) await fetchConfiguration();
      if (told.release !== kiosk.release) await kiosk.registration?.update();
      flush();
      if (!kiosk.respondent && !document.querySelector("#thanks, #not-kept, .staff")) idleNews();
    } else if (status === 401) state.trouble = "revoked";
  } catch { state.trouble ??= "network"; }
  refreshTrouble();
}

function idleNews() {
  if (kiosk.news || kiosk.registration?.waiting) begin();
}

function staff() {
  if (kiosk.respondent || receipt) return;
  openStaffScreen({ say, show, leave: begin, heartbeat, kiosk });
}

async function install() {
  if (!("serviceWorker" in navigator)) return;
  kiosk.registration = await navigator.serviceWorker.register("/kiosk/worker.js", { scope: "/kiosk" });
  let controlled = Boolean(navigator.serviceWorker.controller);
  navigator.serviceWorker.addEventListener("controllerchange", () => {
    // The first worker takes over a page that is already its own release.
    if (controlled && !kiosk.respondent && !receipt) location.reload();
    controlled = true;
  });
}

/** Why there can be no kiosk here, to whoever sets it up: in both languages. */
function refuse(reason) {
  screen.replaceChildren(element("main", {}, ...["vi", "en"].map((language) => element("section", { class: "message", lang: language },
    element("h1", {}, say("cannot_start", {}, language)), element("p", {}, reason(language))))));
}

async function start() {
  try {
    kiosk.release = await releaseOfWorker();
    await store.takeUpAgain();
    await look();
    kiosk.configuration = (await store.fact("configuration")) ?? null;
    if (!(await store.fact("secret"))) kiosk.configuration = null;
  } catch (error) {
    console.warn("no storage:", error.name);
    return refuse((language) => say("needs_storage", {}, language));
  }
  begin();
  onChange(refreshTrouble);
  setInterval(heartbeat, HEARTBEAT_MS * (0.9 + Math.random() / 5));
  await heartbeat();
  flush();
}

/** The release that runs here is the one whose worker keeps it; before the first, the server's. */
async function releaseOfWorker() {
  const name = (await caches.keys()).find((each) => each.startsWith("kiosk-"));
  return name?.slice("kiosk-".length) ?? null;
}

// Over plain http a browser gives a page neither a worker nor its store, but on the device itself.
if (isSecureContext) {
  install().catch((error) => console.warn("not installed:", error.message));
  start();
} else refuse((language) => say("needs_https", {}, language));
