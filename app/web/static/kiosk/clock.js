// How long ago something was, on a device whose clock is wrong or is set meanwhile. Beside the calendar
// there is a clock that nobody sets (performance.now), which begins with the page: between two looks
// both must move alike, or else the calendar was set, and what waits is moved with it.
import * as store from "./store.js";

// Smaller differences are none worth speaking of: clocks are drawn to the right time by little.
const SET_MS = 90_000;
// A device that sleeps looks as if its clock were put forward; nobody sets one by so little on purpose.
const SLEEP_MS = 3 * 86_400_000;
const LOOK_MS = 15_000;

let last = null;
let looking = Promise.resolve();
// One page of the device looks for all; when it is closed, the next one does.
let mine = false;
const untilClosed = () => { mine = true; return new Promise(() => {}); };
const asked = new Promise((resolve) => {
  navigator.locks.request("clock", { ifAvailable: true }, (lock) => {
    const held = lock && untilClosed();
    resolve();
    return held;
  }).then(() => navigator.locks.request("clock", untilClosed));
});

/** Look whether the clock was set since the last look; before anything that rests on it. */
export function look() {
  looking = looking.catch(() => {}).then(compare);
  return looking;
}

async function compare() {
  await asked;
  if (!mine) return;
  const now = { wall: Date.now(), steady: performance.now() };
  const before = last;
  last = now;
  if (before) {
    const set = now.wall - before.wall - (now.steady - before.steady);
    await store.noteClock(now.wall, set < -SET_MS || set > SLEEP_MS ? set : 0);
    return;
  }
  // While the page was closed no clock ran that nobody sets; a calendar that goes back was set, though.
  const kept = (await store.fact("clock")) ?? now.wall;
  await store.noteClock(now.wall, now.wall < kept - SET_MS ? null : 0);
}

/** What is told of the age of a response that waits. */
export function ageOf({ answered_at: answered, clock }) {
  if (clock?.lost) return { clock_lost: true };
  return { age_s: Math.max(0, Math.round((Date.now() - Date.parse(answered) - (clock?.set ?? 0)) / 1000)) };
}

setInterval(look, LOOK_MS);
