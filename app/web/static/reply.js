// A code that was scanned stands in the address's fragment, which is sent nowhere: it is put into the
// form, taken out of the address, and sent in the form's body.
const form = document.getElementById("code-form");
const code = decodeURIComponent(location.hash.slice(1));
if (code) {
  history.replaceState(null, "", location.pathname + location.search);
  if (form && /^[0-9A-Za-z -]{16,60}$/.test(code)) {
    document.getElementById("code").value = code;
    form.requestSubmit();
  }
}
