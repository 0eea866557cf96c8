// Printing, and what happens when the connection is lost while waiting.
(() => {
  "use strict";
  document.documentElement.classList.add("script");
  const lost = document.getElementById("lost");
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) print();
  });
  document.addEventListener("htmx:sendError", () => { lost.hidden = false; });
  document.addEventListener("htmx:afterOnLoad", () => { lost.hidden = true; });
  addEventListener("beforeprint", () => {
    for (const part of document.querySelectorAll("details")) part.open = true;
  });
})();
