// The screen at an entrance: what the server tells, as soon as it tells it.
const { stream, period, language, few, between, people, lost } = document.body.dataset;
const state = document.getElementById("state");
const locale = language === "vi" ? "vi-VN" : "en-GB";
const percent = (rate) => `${(100 * rate).toLocaleString(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 })}%`;
const TRY_AGAIN_MS = 10_000;

const events = new EventSource(stream);
events.addEventListener("figure", (event) => {
  const told = JSON.parse(event.data);
  // A new month, or the first figure of it: the heading names another one.
  if (told.period !== period) { location.reload(); return; }
  document.getElementById("rate").textContent = told.rate === null ? "" : percent(told.rate);
  document.getElementById("limits").textContent = told.rate === null
    ? few
    : `${between} ${percent(told.low)} – ${percent(told.high)} · ${told.respondents.toLocaleString(locale)} ${people}`;
  document.getElementById("today").textContent = told.today.toLocaleString(locale);
  state.textContent = "";
});
// What stands there meanwhile is said to be old. The browser tries again by itself after a broken
// line, but not after a refusal: a proxy's 502 while the server starts, or a session that is over.
events.addEventListener("error", () => {
  state.textContent = lost;
  if (events.readyState === EventSource.CLOSED) setTimeout(openAgain, TRY_AGAIN_MS * (1 + Math.random()));
});
events.addEventListener("open", () => { state.textContent = ""; });

// Nobody stands by with a keyboard: the page is opened anew as soon as the server can show it.
async function openAgain() {
  const answer = await fetch(location.href, { redirect: "manual", cache: "no-store" }).catch(() => null);
  if (answer !== null && answer.status < 500) location.reload();
  else setTimeout(openAgain, TRY_AGAIN_MS * (1 + Math.random()));
}
