// Tools of a log page. The encoding that a reader chooses is remembered in this browser, for logs
// that are not plainly in another. Without this script it is chosen by the button, for one log.
"use strict";
(() => {
  const form = document.getElementById("encoding-form");
  if (!form) return;
  const select = form.querySelector("select");
  form.querySelector("button").hidden = true;
  select.addEventListener("change", () => {
    const age = select.value ? 31536000 : 0;
    document.cookie = "encoding=" + encodeURIComponent(select.value) + ";path=/;max-age=" + age + ";samesite=lax";
    form.requestSubmit();
  });
})();
