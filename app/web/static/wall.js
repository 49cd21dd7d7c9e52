// The screen at the entrance: what the server tells, as soon as it tells it.
const { stream, period, language, few, between, people, lost } = document.body.dataset;
const state = document.getElementById("state");
const locale = language === "vi" ? "vi-VN" : "en-GB";
const percent = (rate) => `${(100 * rate).toLocaleString(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 })}\u00a0%`;

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
// The browser tries again by itself; what stands there meanwhile is said to be old.
events.addEventListener("error", () => { state.textContent = lost; });
events.addEventListener("open", () => { state.textContent = ""; });
