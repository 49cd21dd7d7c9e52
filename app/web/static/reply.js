// A code that was scanned stands in the address's fragment, which is sent nowhere: it is put into the
// form, taken out of the address, and sent in the form's body.

/** The page's form for a code; where a case is shown, it has none. */
function formOf() {
  const form = document.createElement("form");
  const field = document.createElement("input");
  Object.assign(form, { method: "post", action: "/c" + location.search, hidden: true });
  field.id = field.name = "code";
  form.append(field);
  document.body.append(form);
  return form;
}

function take() {
  const [, code] = location.hash.match(/^#([0-9A-Za-z-]{16,60})$/) ?? [];
  if (location.hash) history.replaceState(null, "", location.pathname + location.search);
  if (!code) return;
  const form = document.getElementById("code-form") ?? formOf();
  form.elements.code.value = code;
  form.requestSubmit();
}

// What a code opens is the answer to a form, for the code may stand in no address, cookie or cache.
// "Back" to it would ask whether the form is to be sent again; so whoever goes on from here leaves the
// empty form in the history instead. Until then the page can be loaded anew, to look for a reply.
function forget() {
  history.replaceState(null, "", "/c" + location.search);
}

addEventListener("submit", forget);
addEventListener("click", ({ target }) => {
  if (target.closest("a")) forget();
});
take();
// Scanned again, the page may be open already.
addEventListener("hashchange", take);
