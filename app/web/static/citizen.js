// Improves a form that is complete without it: keeps a draft on this phone, hides questions that
// do not apply, counts what is answered, and sends again by itself when the network is gone.
"use strict";
(() => {
  // Read by its name each time: where cookies are blocked, the name alone throws.
  const kept = (where) => ({
    get: (key) => { try { return JSON.parse(window[where].getItem(key)); } catch { return null; } },
    set: (key, value) => { try { window[where].setItem(key, JSON.stringify(value)); return true; } catch { return false; /* full or forbidden: then without a draft */ } },
    drop: (key) => { try { window[where].removeItem(key); } catch { /* as above */ } },
  });
  const store = kept("localStorage");
  const form = document.querySelector("form[data-code]");
  if (!form) return;
  const key = `draft:${form.dataset.code}`;
  const DRAFT_MS = 2 * 3600 * 1000;
  const questions = [...form.querySelectorAll(".q:not(.wish)")];
  const sections = [...form.querySelectorAll("section")];
  const summary = document.getElementById("summary");

  const fieldsOf = (question) => [...question.querySelectorAll("input, textarea")];
  // Beside a number a box may say "no opinion": both are sent under one name.
  const isNumber = (field) => field.inputMode === "decimal";
  const isAnswered = (question) => fieldsOf(question).some((f) => (/radio|checkbox/.test(f.type) ? f.checked : f.value.trim()));

  // From a desk that is closed one is led to another one's form: what was typed there goes along,
  // as an answer of this form. The server says by the link where both ask the same questions.
  function takeAlong() {
    const from = new URLSearchParams(location.search).get("from");
    const draft = from && from !== form.dataset.code && store.get(`draft:${from}`);
    if (!draft || store.get(key)) return;
    const { id, page } = form.elements;
    store.set(key, { ...draft, id: id.value, page: page.value });
    store.drop(`draft:${from}`);
  }

  function restore() {
    takeAlong();
    const draft = store.get(key);
    const { id, version } = form.elements;
    // What the server sent back is newer than a draft.
    if (!draft || Date.now() - draft.at > DRAFT_MS || summary) return;
    // A draft belongs to one response; where no cookie told which, the draft does.
    if ("anew" in form.dataset) id.value = draft.id;
    // Its numbers belong to one version of the questions.
    if (draft.id !== id.value || draft.version !== version.value) return;
    if (draft.reply) form.elements.reply.checked = true;
    // What was given before this script had come is newer, too.
    for (const field of questions.filter((q) => !isAnswered(q)).flatMap(fieldsOf)) {
      const values = draft.values[field.name] || [];
      if (/radio|checkbox/.test(field.type)) field.checked = values.includes(field.value);
      else field.value = (isNumber(field) ? values.find((value) => value !== "none") : values[0]) || "";
    }
    if (draft.opened) form.elements.opened.value = draft.opened;
    if (draft.page) form.elements.page.value = draft.page;
  }

  function save() {
    if (form.dataset.preview) return false;
    const values = {};
    for (const [name, value] of new FormData(form)) if (name.startsWith("a.") && value) (values[name] = values[name] || []).push(value);
    const { id, version, opened, page, reply } = form.elements;
    return store.set(key, { id: id.value, version: version.value, opened: opened.value, page: page.value, at: Date.now(), values, reply: reply.checked });
  }

  function refresh() {
    for (const question of questions) {
      if (!question.dataset.if) continue;
      const asked = document.getElementById(`q-${question.dataset.if}`);
      const chosen = fieldsOf(asked).find((f) => f.checked);
      // Hidden hides on: questions stand in order, so the one asked before is settled already.
      question.hidden = asked.hidden || !(chosen && question.dataset.is.split(" ").includes(chosen.value));
      question.querySelector(".only").hidden = true;
    }
    // A heading over nothing would promise questions that do not come.
    for (const section of sections) section.hidden = !section.querySelector(".q:not([hidden])");
    const shown = questions.filter((q) => !q.hidden);
    const answered = shown.filter(isAnswered).length;
    document.getElementById("progress").hidden = false;
    const bar = document.querySelector("progress");
    bar.max = shown.length;
    bar.value = answered;
    const count = document.getElementById("count");
    count.textContent = count.dataset.text.replace("{answered}", answered).replace("{all}", shown.length);
  }

  // "No opinion" and options exclude each other in a multiple choice; so do it and a number.
  form.addEventListener("change", (event) => {
    const field = event.target;
    if (field.type === "checkbox" && field.checked) {
      for (const other of form.querySelectorAll(`[name="${CSS.escape(field.name)}"]`)) {
        if (isNumber(other)) other.value = "";
        else if ((other.value === "none") !== (field.value === "none")) other.checked = false;
      }
    }
    refresh();
    save();
  });
  form.addEventListener("input", ({ target }) => {
    if (isNumber(target) && target.value.trim()) for (const box of target.closest(".q").querySelectorAll("input:checked")) box.checked = false;
    save();
  });

  // The code by which a reply is read: drawn here, before the response is sent for the first time. Of
  // it the hash alone is sent, and it stays in this tab, for the page of thanks, which shows it. One
  // response has one code, however often it is sent.
  const SIGNS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  const codes = kept("sessionStorage");
  const codeKey = `reply:${form.dataset.code}`;
  const { reply, reply_code: sentCode } = form.elements;
  const sentHash = Object.assign(document.createElement("input"), { type: "hidden", name: "reply_code_hash", disabled: true });
  form.append(sentHash);
  const DRAWS = 3;
  let code = null;
  let draws = 0;

  async function addCode() {
    sentCode.disabled = sentHash.disabled = true;
    if (!reply.checked) return;
    if (!code) code = { id: form.elements.id.value, signs: Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => SIGNS[byte % 32]).join("") };
    codes.set(codeKey, { ...code, at: Date.now() });
    try {
      const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(code.signs)));
      sentHash.value = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
      sentHash.disabled = false;
    } catch {
      // Over plain http a browser does not hash: then the server does, as for a form without script.
      sentCode.value = code.signs;
      sentCode.disabled = false;
    }
  }
  // What is being sent has its code or has none.
  reply.addEventListener("click", (event) => { if (sending) event.preventDefault(); });

  // A code that was kept is this response's, or is gone: on a phone that goes from hand to hand, too.
  function findCode() {
    if (location.hash.startsWith("#reply=")) history.replaceState(null, "", location.pathname + location.search);
    const found = codes.get(codeKey);
    if (found?.id === form.elements.id.value) code = { id: found.id, signs: found.signs };
    else codes.drop(codeKey);
  }

  // What is added to the address of thanks: where nothing may be kept the code goes along in the
  // fragment, which no browser sends.
  function carried() {
    if (!reply.checked) return "";
    return codes.set(codeKey, { ...code, at: Date.now(), left: true }) ? "" : `#reply=${code.signs}`;
  }

  const status = document.getElementById("status");
  const left = document.getElementById("left");
  const button = form.querySelector("button:not([type])");
  let sending = false;
  let wait = 1000;
  // Those who wait together do not come back together.
  const SPREAD_S = 15;
  const LONGEST_S = 900;

  // In the other language the draft is found again; without one, the server hands back what was given.
  let rewording = false;
  for (const reword of document.querySelectorAll("button.lang")) {
    reword.addEventListener("click", (event) => {
      // The other language comes from the server: without a network the browser would show its own
      // error in place of this page, which keeps what waits to be sent.
      if (!navigator.onLine) {
        event.preventDefault();
        save();
        if (!sending) status.textContent = form.dataset.offlineLanguage;
        status.scrollIntoView({ block: "center" });
      } else if (save()) {
        event.preventDefault();
        location.assign(reword.formAction);
      } else rewording = true;
    });
  }

  form.addEventListener("submit", (event) => {
    if (rewording) return;
    event.preventDefault();
    if (form.dataset.preview) { status.textContent = form.dataset.preview; return; }
    if (sending) return;
    sending = true;
    wait = 1000;
    button.setAttribute("aria-disabled", "true");
    save();
    addCode().then(send);
  });

  async function send() {
    status.textContent = form.dataset.sending;
    const body = new URLSearchParams(new FormData(form));
    const control = new AbortController();
    const timer = setTimeout(() => control.abort(), 20000);
    try {
      const answer = await fetch(form.action, { method: "POST", body, signal: control.signal, headers: { Accept: "application/json" } });
      if (answer.status === 201) { location.replace(answer.headers.get("Location") + carried()); return; }
      if (answer.status === 409 && draws < DRAWS && (answer.headers.get("Content-Type") || "").includes("json")) {
        // Somebody else's response has this code, and ours was not counted.
        draws += 1;
        code = null;
        await addCode();
        send();
        return;
      }
      const seconds = waitOf(answer.headers);
      if (seconds > 0 && /429|503/.test(answer.status)) { sendAfter(seconds); return; }
      if (answer.status >= 500) throw new Error("the server is not well");
      // Refused with reasons: let the browser show the server's page.
      form.action += carried();
      form.submit();
    } catch {
      status.textContent = form.dataset.offline;
      setTimeout(send, wait * (0.75 + Math.random() / 2));
      wait = Math.min(wait * 2, 15000);
    } finally {
      clearTimeout(timer);
    }
  }

  // In seconds, or a date, which is held against the server's clock; nobody means longer than this.
  function waitOf(headers) {
    const told = (headers.get("Retry-After") || "").trim();
    const seconds = /^\d+$/.test(told) ? Number(told) : (Date.parse(told) - (Date.parse(headers.get("Date")) || Date.now())) / 1000;
    return !told || Number.isNaN(seconds) ? 0 : Math.min(Math.max(seconds, 1), LONGEST_S);
  }

  // Many send from one network: told to wait, each comes in by turns, within minutes.
  function sendAfter(seconds) {
    const until = Date.now() + 1000 * (seconds + Math.min(seconds, SPREAD_S) * Math.random());
    status.textContent = form.dataset.waiting;
    (function count() {
      const rest = Math.ceil((until - Date.now()) / 1000);
      left.hidden = rest <= 0;
      if (rest <= 0) { send(); return; }
      left.textContent = left.dataset.text.replace("{time}", `${Math.floor(rest / 60)}:${String(rest % 60).padStart(2, "0")}`);
      setTimeout(count, 500);
    })();
    left.scrollIntoView({ block: "nearest" });
  }

  addEventListener("online", () => { if (sending) wait = 1000; });
  // Shown again from the browser's memory, a page that was sent begins anew; another is as it was left.
  addEventListener("pageshow", (event) => { if (event.persisted && sending) location.reload(); });

  restore();
  findCode();
  refresh();
  if (questions.some(isAnswered)) save();
  if (summary) summary.focus();
})();
