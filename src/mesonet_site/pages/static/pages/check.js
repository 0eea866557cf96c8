// Uploading one by one, with progress. Without this script the form sends everything at once.
(() => {
  "use strict";
  const form = document.getElementById("check");
  if (!form) return;
  const rows = document.getElementById("rows");
  const texts = form.dataset;
  const waiting = [];
  const KEPT = "addresses";
  const BUSY = [409, 429, 503, 507];
  let busy = false;
  for (const input of form.querySelectorAll("input[type=file]")) {
    input.required = false;
    input.addEventListener("change", () => { add(input.files); input.value = ""; });
  }
  form.addEventListener("submit", (event) => event.preventDefault());

  addEventListener("paste", (event) => {
    if (event.clipboardData && event.clipboardData.files.length) add(event.clipboardData.files);
  });
  addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
  addEventListener("dragleave", (event) => { if (!event.relatedTarget) form.classList.remove("over"); });
  addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    add(event.dataTransfer.files);
  });

  rows.addEventListener("htmx:sendError", (event) => stall(event.detail.elt, texts.offline));
  rows.addEventListener("htmx:timeout", (event) => stall(event.detail.elt, texts.offline));
  rows.addEventListener("htmx:responseError", (event) => {
    const gone = event.detail.xhr.status === 404;
    if (gone) say({ row: event.detail.elt.parentElement }, texts.gone);
    else stall(event.detail.elt, texts.stalled);
  });
  for (const address of kept()) restore(address);

  function add(files) {
    const alone = files.length === 1 && !rows.querySelector(":scope > :not(.earlier)");
    for (const file of files) waiting.push({ file, row: newRow(file.name), alone });
    if (files.length) next();
  }

  function newRow(label) {
    const row = document.createElement("li");
    const name = document.createElement("div");
    name.className = "file";
    name.textContent = label;
    const state = document.createElement("div");
    state.className = "state";
    row.append(name, state);
    rows.append(row);
    document.getElementById("uploads").hidden = false;
    return row;
  }

  // Addresses of this tab's checks, so that the list is there again after going back.
  function kept() { return JSON.parse(sessionStorage.getItem(KEPT) || "[]"); }
  function keep(addresses) { sessionStorage.setItem(KEPT, JSON.stringify(addresses.slice(-50))); }

  async function restore(address) {
    const answer = await fetch(`${address}row/`).catch(() => null);
    if (answer && answer.status === 404) keep(kept().filter((other) => other !== address));
    if (!answer || !answer.ok) return;
    const row = newRow(texts.earlier);
    row.classList.add("earlier");
    state(row).outerHTML = await answer.text();
    row.firstElementChild.textContent = state(row).dataset.name || texts.earlier;
    htmx.process(row);
  }

  function next() {
    if (busy || !waiting.length) return;
    const job = waiting.shift();
    if (job.file.size > Number(texts.maxBytes)) {
      say(job, texts.tooLarge);
      next();
      return;
    }
    busy = true;
    const bar = document.createElement("progress");
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-label", texts.uploading);
    const text = document.createElement("span");
    text.textContent = texts.uploading;
    state(job.row).replaceChildren(text, bar);
    const body = new FormData();
    for (const { name, value } of form.querySelectorAll("input[type=hidden]")) body.append(name, value);
    body.append(form.elements.files.name, job.file, job.file.name || "pasted.png");
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("HX-Request", "true");
    request.upload.onprogress = (event) => { if (event.lengthComputable) bar.value = event.loaded / event.total; };
    request.upload.onload = () => { bar.removeAttribute("value"); text.textContent = texts.scoring; };
    request.onload = () => {
      const kind = request.getResponseHeader("Content-Type") || "";
      if ((request.status >= 500 && !BUSY.includes(request.status)) || !kind.startsWith("text/html")) {
        say(job, request.status === 413 ? texts.tooLarge : texts.failed, request.status !== 413);
        return;
      }
      if (BUSY.includes(request.status)) {
        const answer = new DOMParser().parseFromString(request.responseText, "text/html");
        say(job, answer.body.textContent.trim(), true);
        return;
      }
      state(job.row).outerHTML = request.responseText;
      htmx.process(job.row);
      const { address } = state(job.row).dataset;
      if (address) keep([...kept(), address]);
      const others = rows.querySelectorAll(":scope > :not(.earlier)").length - 1;
      if (job.alone && address && !others) location.assign(address);
    };
    request.onerror = () => say(job, texts.lost, true);
    request.onloadend = () => { busy = false; next(); };
    request.send(body);
  }

  function state(row) { return row.lastElementChild; }

  function alert(sentence) {
    const text = document.createElement("span");
    text.className = "alert";
    text.textContent = sentence;
    return text;
  }

  // The next answer takes the place of the whole state.
  function stall(state, sentence) {
    const shown = state.querySelector(":scope > .alert");
    if (!shown) state.append(alert(sentence));
    else if (shown.textContent !== sentence) shown.textContent = sentence;
  }

  function say(job, sentence, again) {
    const plain = document.createElement("div");
    plain.className = "state";
    plain.append(alert(sentence));
    state(job.row).replaceWith(plain);
    if (!again) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = texts.again;
    button.addEventListener("click", () => { waiting.push(job); next(); });
    plain.append(button);
  }
})();
