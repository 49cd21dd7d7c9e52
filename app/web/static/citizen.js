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
  const sections = [...form.querySelectorAll("section")];
  const summary = document.getElementById("summary");

  const fieldsOf = (question) => [...question.querySelectorAll("input, textarea")];
  const isAnswered = (question) => fieldsOf(question).some((f) => (/radio|checkbox/.test(f.type) ? f.checked : f.value.trim()));

  function restore() {
    const draft = store.get(key);
    const id = form.elements.id.value;
    // A draft belongs to one response, and its numbers to one version of the questions; what the
    // server sent back is newer than it.
    if (!draft || draft.id !== id || draft.version !== form.elements.version.value || Date.now() - draft.at > DRAFT_MS || summary) return;
    for (const field of form.querySelectorAll("[name^='a.']")) {
      const values = draft.values[field.name] || [];
      if (/radio|checkbox/.test(field.type)) field.checked = values.includes(field.value);
      else field.value = values[0] || "";
    }
    if (draft.opened) form.elements.opened.value = draft.opened;
  }

  function save() {
    const values = {};
    for (const [name, value] of new FormData(form)) if (name.startsWith("a.") && value) (values[name] = values[name] || []).push(value);
    store.set(key, { id: form.elements.id.value, version: form.elements.version.value, opened: form.elements.opened.value, at: Date.now(), values });
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
  const button = form.querySelector("button:not([type])");
  let sending = false;
  let wait = 1000;

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (sending) return;
    sending = true;
    wait = 1000;
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
