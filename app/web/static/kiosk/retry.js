// When to come again, as the server tells it by Retry-After: in seconds, or by a date.

// A queue that is told to wait for a day would look lost; nobody means longer than this.
const LONGEST_S = 900;
// Devices that were refused in one moment do not come back in one.
const SPREAD_S = 15;

/** Milliseconds to wait, with a part by chance; null where the server has told nothing that can be read. */
export function waitOf(headers, chance = Math.random()) {
  const told = headers.get("Retry-After")?.trim() ?? "";
  // A device's clock may be wrong: a date is held against that of the server.
  const seconds = /^\d+$/.test(told) ? Number(told) : (Date.parse(told) - (Date.parse(headers.get("Date")) || Date.now())) / 1000;
  if (!told || Number.isNaN(seconds)) return null;
  const bounded = Math.min(Math.max(seconds, 1), LONGEST_S);
  return 1000 * (bounded + Math.min(bounded, SPREAD_S) * chance);
}
