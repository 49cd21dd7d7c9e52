// What the device keeps, in IndexedDB: its key and configuration, the queue, and what was refused.
// A response is on disk before the respondent is thanked ("strict": flushed, not only handed over).

const OPENED = new Promise((resolve, reject) => {
  const request = indexedDB.open("hailong-kiosk", 1);
  request.onupgradeneeded = () => {
    request.result.createObjectStore("facts");
    request.result.createObjectStore("queue", { keyPath: "id" });
    request.result.createObjectStore("aside", { keyPath: "id" });
  };
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

async function run(stores, mode, work) {
  const database = await OPENED;
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(stores, mode, { durability: "strict" });
    let result;
    const request = work(...stores.map((name) => transaction.objectStore(name)));
    if (request) request.onsuccess = () => { result = request.result; };
    transaction.oncomplete = () => resolve(result);
    transaction.onabort = () => reject(transaction.error || new Error("aborted"));
    transaction.onerror = () => reject(transaction.error);
  });
}

export const fact = (name) => run(["facts"], "readonly", (facts) => facts.get(name));
export const keepFact = (name, value) => run(["facts"], "readwrite", (facts) => facts.put(value, name));
export const enqueue = (response) => run(["queue"], "readwrite", (queue) => queue.add(response));
export const waiting = (most) => run(["queue"], "readonly", (queue) => queue.getAll(null, most));
export const countWaiting = () => run(["queue"], "readonly", (queue) => queue.count());
export const countAside = () => run(["aside"], "readonly", (aside) => aside.count());
export const setAside = () => run(["aside"], "readonly", (aside) => aside.getAll(null, 50));

/** Take out what the server has counted, and lay aside what it refused for good: both or neither. */
export const settle = (counted, refused) => run(["queue", "aside"], "readwrite", (queue, aside) => {
  for (const id of counted) queue.delete(id);
  for (const { response, problem } of refused) {
    aside.put({ ...response, problem });
    queue.delete(response.id);
  }
});

/** Another code for a response that waits, or none any more. */
export const changeCode = (id, hash) => run(["queue"], "readwrite", (queue) => {
  queue.get(id).onsuccess = ({ target: { result: response } }) => {
    if (!response) return;
    const { reply_code_hash: _, ...rest } = response;
    queue.put(hash ? { ...rest, reply_code_hash: hash } : rest);
  };
});

/** Note what the clock shows, and by how much it was set: all that waits is moved, or has lost its time. */
export const noteClock = (wall, set) => run(["facts", "queue"], "readwrite", (facts, queue) => {
  facts.put(wall, "clock");
  if (set === 0) return;
  queue.openCursor().onsuccess = ({ target: { result: cursor } }) => {
    if (!cursor) return;
    const before = cursor.value.clock ?? {};
    cursor.update({ ...cursor.value, clock: set === null ? { lost: true } : { ...before, set: (before.set ?? 0) + set } });
    cursor.continue();
  };
});

/** Once a release: what an earlier server refused for its time waits again, since now it is taken. */
export const takeUpAgain = () => run(["facts", "queue", "aside"], "readwrite", (facts, queue, aside) => {
  facts.get("taken-up").onsuccess = ({ target: { result: done } }) => {
    if (done) return;
    facts.put(true, "taken-up");
    aside.openCursor().onsuccess = ({ target: { result: cursor } }) => {
      if (!cursor) return;
      const { problem, ...response } = cursor.value;
      if (["/problems/answered-too-long-ago", "/problems/answered-in-future"].includes(problem?.type)) {
        queue.put({ ...response, clock: { lost: true } });
        cursor.delete();
      }
      cursor.continue();
    };
  };
});

/** Forget everything: the device is to be paired anew. Only with an empty queue. */
export const forget = () => run(["facts"], "readwrite", (facts) => facts.clear());

/** How full the storage is in per cent; -1 where the browser does not tell. */
export async function storagePercent() {
  if (!navigator.storage?.estimate) return -1;
  const { usage, quota } = await navigator.storage.estimate();
  return quota ? Math.min(100, Math.round((100 * usage) / quota)) : -1;
}
