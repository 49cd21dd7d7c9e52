// After thanks: drops the draft, and shows the code by which a reply is read. The code is this tab's; it
// stands in no address for longer than it takes to read it.
"use strict";
(() => {
  const end = document.querySelector("[data-done]");
  const { done: path, reply } = end.dataset;
  const KEPT_MS = 2 * 3600 * 1000;
  const key = `reply:${path}`;
  const get = () => { try { return JSON.parse(sessionStorage.getItem(key)); } catch { return null; } };
  const set = (value) => { try { sessionStorage.setItem(key, JSON.stringify(value)); return true; } catch { return false; /* full or forbidden: then until the page is left */ } };
  const drop = () => { try { sessionStorage.removeItem(key); } catch { /* as above */ } };
  try { localStorage.removeItem(`draft:${path}`); } catch { /* as above */ }

  const place = document.getElementById("reply");
  const shown = document.getElementById("reply-code");
  const copy = document.getElementById("reply-copy");
  const forget = document.getElementById("reply-forget");
  const status = document.getElementById("reply-status");

  const carried = location.hash.match(/^#reply=([0-9A-HJKMNP-TV-Z]{16,32})$/)?.[1];
  if (location.hash.startsWith("#reply=")) history.replaceState(null, "", location.pathname + location.search);

  // One that was not sent, or came second, opens nothing.
  function find() {
    if (reply === "void") { drop(); return null; }
    if (carried) return reply === "kept" ? { signs: carried, at: Date.now() } : null;
    const kept = get();
    if (kept && Date.now() - kept.at > KEPT_MS) { drop(); return null; }
    return kept && (kept.shown || (kept.left && reply === "kept")) ? kept : null;
  }

  function hide() {
    drop();
    place.hidden = true;
    shown.textContent = "";
  }

  const code = place.hidden ? find() : null;
  let isKept = false;
  if (code) {
    isKept = set({ ...code, shown: true });
    shown.textContent = code.signs.match(/.{1,4}/g).join("-");
    place.hidden = false;
    document.getElementById("use").hidden = true;
  }
  if (place.hidden) return;

  document.getElementById("reply-shared").hidden = forget.hidden = !isKept;
  forget.addEventListener("click", () => { hide(); status.textContent = forget.dataset.done; });
  copy.hidden = !navigator.clipboard;
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(shown.textContent);
      status.textContent = copy.dataset.done;
    } catch { status.textContent = copy.dataset.failed; }
  });
  // Shown again from the browser's memory, after somebody else has begun or it was removed.
  addEventListener("pageshow", (event) => { if (event.persisted && isKept && get()?.signs !== code.signs) hide(); });
})();
