// Shows what is typed in the preview at once: the form's own button sends it there, without script too.
"use strict";
(() => {
  const form = document.getElementById("part");
  const button = document.getElementById("try");
  if (!form || !button) return;
  const PAUSE_MS = 700;
  let timer = null;
  const tryIt = () => {
    // The preview begins at the question that is written.
    const [address] = button.formAction.split("#");
    if (form.elements["text.vi"]) button.formAction = `${address}#q-${form.elements.code.value.trim()}`;
    form.requestSubmit(button);
  };
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(tryIt, PAUSE_MS);
  };
  form.addEventListener("input", later);
  // Whoever types sooner than this is here, or comes back to what the browser kept, is shown it too.
  const isTyped = (field) =>
    field.options
      ? field.selectedIndex !== Math.max(0, [...field.options].findIndex((option) => option.defaultSelected))
      : field.value !== field.defaultValue || field.checked !== field.defaultChecked;
  if ([...form.querySelectorAll("input, textarea, select")].some(isTyped)) later();
  form.addEventListener("submit", () => clearTimeout(timer));
  // Of a kind of question, and of the one asked before, the fields come by themselves.
  for (const name of ["kind", "if"]) {
    form.elements[name]?.addEventListener("change", () => { clearTimeout(timer); form.requestSubmit(form.querySelector('button[value="show"]')); });
  }
})();
