// Sends the queue in batches, with back-off and jitter. A response leaves the queue only when the
// server names it accepted or duplicate; what it refuses for good is laid aside and reported.
import { ageOf, look } from "./clock.js";
import { waitOf } from "./retry.js";
import * as store from "./store.js";

const BATCH = 50;
const FIRST_WAIT_MS = 1000;
// Never longer: a server that is back is found within half a minute.
const LONGEST_WAIT_MS = 30_000;
const TIMEOUT_MS = 30_000;
const TAKEN = "/problems/reply-code-taken";

export const state = { lastSync: null, trouble: null, wait: FIRST_WAIT_MS, notBefore: 0 };
let timer = null;
let again = false;
const listeners = new Set();
export const onChange = (listener) => listeners.add(listener);
const changed = () => listeners.forEach((listener) => listener());

// Who shows a code at this moment: `another` draws one anew for a response, `refused` is told that none opens.
export const codes = { another: async () => null, refused: () => {} };
const redrawn = new Set();

/** Fetch with the device's key and a time limit. */
export async function call(path, options = {}) {
  const secret = await store.fact("secret");
  const control = new AbortController();
  const limit = setTimeout(() => control.abort(), TIMEOUT_MS);
  try {
    const headers = { Authorization: `Bearer ${secret}`, ...(options.body ? { "Content-Type": "application/json" } : {}) };
    const answer = await fetch(path, { ...options, headers, signal: control.signal, cache: "no-store" });
    const read = answer.headers.get("content-type")?.includes("json") ? answer.json() : null;
    // Of a refusal the status and the time to wait count, whatever came of its text.
    const document = await (answer.ok ? read : read?.catch(() => null)) ?? null;
    return { status: answer.status, wait: waitOf(answer.headers), document };
  } finally {
    clearTimeout(limit);
  }
}

/** Send what waits, now; while another tab or call does, it will look again. */
export async function flush() {
  clearTimeout(timer);
  const left = state.notBefore - performance.now();
  if (left > 0) {
    // The next respondent's answer waits as the others do.
    timer = setTimeout(flush, left);
    return;
  }
  again = true;
  await navigator.locks.request("flush", { ifAvailable: true }, async (lock) => {
    if (!lock) return;
    while (again && state.notBefore <= performance.now()) {
      again = false;
      await sendAll();
    }
  });
}

async function sendAll() {
  const seen = new Set();
  let size = BATCH;
  for (;;) {
    await look();
    const batch = (await store.waiting(size + seen.size)).filter((each) => !seen.has(each.id)).slice(0, size);
    if (!batch.length) {
      if (seen.size) later();
      return;
    }
    let answer;
    try {
      answer = await call("/api/v1/responses", { method: "POST", body: JSON.stringify({ sent_at: new Date().toISOString(), responses: batch.map(asSent) }) });
    } catch {
      return later("network");
    }
    if (answer.status === 200 && answer.document?.responses?.length === batch.length) {
      await learn(batch, answer.document.responses, seen);
      state.lastSync = new Date();
      state.wait = FIRST_WAIT_MS;
      state.trouble = seen.size ? "waiting" : null;
      size = BATCH;
      changed();
    } else if (answer.status === 413 || (answer.status >= 400 && answer.status < 500 && ![401, 403, 408, 425, 429].includes(answer.status))) {
      // Something in the batch spoils it whole: smaller batches find out what.
      if (batch.length === 1) {
        await store.settle([], [{ response: batch[0], problem: answer.document }]);
        codes.refused(batch[0].id);
        changed();
      } else {
        size = Math.max(1, Math.floor(batch.length / 2));
      }
    } else {
      return later(answer.status === 401 || answer.status === 403 ? "revoked" : "server", answer.wait);
    }
  }
}

/** A response as it is sent: how long ago it was given instead of what the device notes of its clock. */
function asSent(response) {
  const { clock: _, ...sent } = response;
  return { ...sent, ...ageOf(response) };
}

async function learn(batch, results, seen) {
  const counted = [];
  const refused = [];
  const taken = [];
  results.forEach((result, place) => {
    if (result.status === "accepted" || result.status === "duplicate") counted.push(batch[place].id);
    else if (result.problem?.retry) seen.add(batch[place].id);
    else if (result.problem?.type === TAKEN) taken.push(batch[place].id);
    else refused.push({ response: batch[place], problem: result.problem });
  });
  await store.settle(counted, refused);
  for (const { response } of refused) codes.refused(response.id);
  for (const id of taken) await sendOtherwise(id);
}

/**
 * Another response has this one's code: whoever still stands here is shown another. Of whoever has gone
 * the answers are counted all the same, without a code, since theirs can open nothing any more.
 */
async function sendOtherwise(id) {
  const hash = redrawn.has(id) ? null : await codes.another(id);
  redrawn.add(id);
  if (!hash) codes.refused(id);
  await store.changeCode(id, hash);
}

/** Send again after some time, and not before the server wants it: then nobody flushes meanwhile. */
function later(trouble, told = null) {
  if (trouble) state.trouble = trouble;
  changed();
  clearTimeout(timer);
  const wait = Math.max(told ?? 0, state.wait * (0.5 + Math.random()));
  state.notBefore = told === null ? 0 : performance.now() + told;
  timer = setTimeout(flush, wait);
  state.wait = Math.min(state.wait * 2, LONGEST_WAIT_MS);
}

addEventListener("online", () => {
  state.wait = FIRST_WAIT_MS;
  flush();
});
