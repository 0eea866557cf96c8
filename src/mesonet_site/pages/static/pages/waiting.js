// What is said while a page waits for the server: no answer, a refusal, or nothing there any more.
(() => {
  "use strict";
  const alert = document.getElementById("lost");
  const texts = alert.dataset;
  function say(text) {
    if (alert.textContent !== text) alert.textContent = text;
    alert.hidden = false;
  }
  for (const kind of ["sendError", "timeout"]) {
    document.addEventListener(`htmx:${kind}`, () => say(texts.lost));
  }
  document.addEventListener("htmx:responseError", (event) => {
    const gone = event.detail.xhr.status === 404;
    say(gone ? texts.gone : texts.failed);
    if (gone) event.detail.elt.remove();
  });
  document.addEventListener("htmx:afterOnLoad", (event) => {
    if (event.detail.successful) alert.hidden = true;
  });
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { fragment, target } = event.detail; // what is the same is not read out again
    if (fragment.textContent === target.textContent) event.detail.shouldSwap = false;
  });
})();
