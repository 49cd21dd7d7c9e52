// Improves a form that is complete without it: keeps a draft on this phone, hides questions that
// do not apply, counts what is answered, and sends again by itself when the network is gone.
"use strict";
(() => {
  const done = document.querySelector("[data-done]");
  const store = {
    get: (key) => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } },
    set: (key, value) => { try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* full or forbidden: then without a draft */ } },
    drop: (key) => { try { localStorage.removeItem(key); } catch { /* as above */ } },
  };
  if (done) { store.drop(`draft:${done.dataset.done}`); return; }
  const form = document.querySelector("form[data-code]");
  if (!form) return;
  const key = `draft:${form.dataset.code}`;
  const DRAFT_MS = 2 * 3600 * 1000;
  const questions = [...form.querySelectorAll(".q")];
  const summary = document.getElementById("summary");

  const fieldsOf = (question) => [...question.querySelectorAll("input, textarea")];
  const isAnswered = (question) => fieldsOf(question).some((f) => (/radio|checkbox/.test(f.type) ? f.checked : f.value.trim()));

  function restore() {
    const draft = store.get(key);
    const id = form.elements.id.value;
    // A draft belongs to one response; what the server sent back is newer than it.
    if (!draft || draft.id !== id || Date.now() - draft.at > DRAFT_MS || summary) return;
    for (const field of form.querySelectorAll("[name^='a.']")) {
      const values = draft.values[field.name] || [];
      if (/radio|checkbox/.test(field.type)) field.checked = values.includes(field.value);
      else field.value = values[0] || "";
    }
    if (draft.opened) form.elements.opened.value = draft.opened;
    if (draft.page) form.elements.page.value = draft.page;
  }

  function save() {
    const values = {};
    for (const [name, value] of new FormData(form)) if (name.startsWith("a.") && value) (values[name] = values[name] || []).push(value);
    store.set(key, { id: form.elements.id.value, opened: form.elements.opened.value, page: form.elements.page.value, at: Date.now(), values });
  }

  function refresh() {
    for (const question of questions) {
      if (!question.dataset.if) continue;
      const asked = document.getElementById(`q-${question.dataset.if}`);
      const chosen = fieldsOf(asked).find((f) => f.checked);
      question.hidden = !(chosen && question.dataset.is.split(" ").includes(chosen.value));
      question.querySelector(".only").hidden = true;
    }
    const shown = questions.filter((q) => !q.hidden);
    const answered = shown.filter(isAnswered).length;
    document.getElementById("progress").hidden = false;
    const bar = document.querySelector("progress");
    bar.max = shown.length;
    bar.value = answered;
    const count = document.getElementById("count");
    count.textContent = count.dataset.text.replace("{answered}", answered).replace("{all}", shown.length);
  }

  // "No opinion" and options exclude each other in a multiple choice.
  form.addEventListener("change", (event) => {
    const field = event.target;
    if (field.type === "checkbox" && field.checked) {
      for (const other of form.querySelectorAll(`[name="${CSS.escape(field.name)}"]`)) {
        if ((other.value === "none") !== (field.value === "none")) other.checked = false;
      }
    }
    refresh();
    save();
  });
  form.addEventListener("input", save);

  const status = document.getElementById("status");
  const button = form.querySelector("button");
  let sending = false;
  let wait = 1000;
  let began = 0;
  const PATIENCE_MS = 15 * 60 * 1000;
  // Those who wait together do not come back together.
  const SPREAD_S = 15;

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (sending) return;
    sending = true;
    wait = 1000;
    began = Date.now();
    button.setAttribute("aria-disabled", "true");
    save();
    send();
  });

  async function send() {
    status.textContent = form.dataset.sending;
    const body = new URLSearchParams(new FormData(form));
    const control = new AbortController();
    const timer = setTimeout(() => control.abort(), 20000);
    try {
      const answer = await fetch(form.action, { method: "POST", body, signal: control.signal, headers: { Accept: "application/json" } });
      if (answer.status === 201) { location.replace(answer.headers.get("Location")); return; }
      // Many send from one network: each comes in by turns, within minutes.
      if (answer.status === 429 && Date.now() - began < PATIENCE_MS) {
        const seconds = Number(answer.headers.get("Retry-After")) + Math.random() * SPREAD_S;
        status.textContent = form.dataset.waiting;
        setTimeout(send, seconds * 1000);
        return;
      }
      if (answer.status >= 500) throw new Error("the server is not well");
      // Refused with reasons: let the browser show the server's page.
      form.submit();
    } catch {
      status.textContent = form.dataset.offline;
      setTimeout(send, wait * (0.75 + Math.random() / 2));
      wait = Math.min(wait * 2, 15000);
    } finally {
      clearTimeout(timer);
    }
  }
  addEventListener("online", () => { if (sending) wait = 1000; });
  // Shown again from the browser's memory, a page that was sent begins anew.
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

  restore();
  refresh();
  if (summary) summary.focus();
})();
