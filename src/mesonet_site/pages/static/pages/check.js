// Uploading one by one, with progress. Without this script the form sends everything at once.
(() => {
  "use strict";
  const form = document.getElementById("check");
  if (!form) return;
  const rows = document.getElementById("rows");
  const texts = form.dataset;
  const waiting = [];
  const BUSY = [409, 429, 503, 507];
  let busy = false;
  document.documentElement.classList.add("script");
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

  function add(files) {
    const alone = files.length === 1 && !rows.children.length;
    for (const file of files) {
      const row = document.createElement("li");
      const name = document.createElement("div");
      name.className = "file";
      name.textContent = file.name;
      const state = document.createElement("div");
      state.className = "state";
      row.append(name, state);
      rows.append(row);
      waiting.push({ file, row, alone });
    }
    if (files.length) {
      document.getElementById("uploads").hidden = false;
      next();
    }
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
    state(job).replaceChildren(text, bar);
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
      state(job).outerHTML = request.responseText;
      htmx.process(job.row);
      const found = job.row.querySelector("[data-address]");
      if (job.alone && found && rows.children.length === 1) location.assign(found.dataset.address);
    };
    request.onerror = () => say(job, texts.lost, true);
    request.onloadend = () => { busy = false; next(); };
    request.send(body);
  }

  function state(job) { return job.row.lastElementChild; }

  function say(job, sentence, again) {
    const text = document.createElement("span");
    text.className = "alert";
    text.textContent = sentence;
    state(job).replaceChildren(text);
    if (!again) return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = texts.again;
    button.addEventListener("click", () => { waiting.push(job); next(); });
    state(job).append(button);
  }
})();
