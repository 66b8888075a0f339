// Uploads many files, three at a time, each with its own bar and its own result. Without this script the form sends
// them all at once.

const AT_ONCE = 3;
const SHOWN = { accepted: ["good", "Accepted"], refused: ["bad", "Cannot be used"], duplicate: ["over", "Already here"] };
const MOST_TOLD = 50; // files of an archive that are told one by one
const isTable = (file) => /\.(csv|tsv|txt)$/i.test(file.name);

class Queue {
  constructor(form) {
    this.form = form;
    this.list = form.querySelector("[data-list]");
    this.waiting = [];
    this.running = 0;
    this.counts = { accepted: 0, refused: 0, duplicate: 0, failed: 0 };
    this.total = 0;
    form.querySelector("[data-plain]").hidden = true;
    const chooser = form.querySelector("input[type=file]");
    chooser.addEventListener("change", () => {
      this.add([...chooser.files]);
      chooser.value = "";
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.querySelector("[data-clear]").addEventListener("click", () => this.clear());
    this.watchDrops(form.querySelector("[data-drop]"));
    window.addEventListener("beforeunload", (event) => {
      if (this.busy) event.preventDefault();
    });
  }

  get busy() {
    return this.running + this.waiting.length > 0;
  }

  watchDrops(area) {
    for (const kind of ["dragenter", "dragover"]) {
      document.addEventListener(kind, (event) => {
        if (!event.dataTransfer?.types.includes("Files")) return;
        event.preventDefault();
        area.classList.add("over");
      });
    }
    document.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) area.classList.remove("over");
    });
    document.addEventListener("drop", (event) => {
      if (!event.dataTransfer?.files.length) return;
      event.preventDefault();
      area.classList.remove("over");
      this.add([...event.dataTransfer.files]);
    });
  }

  // A table of transcripts goes last, when the recordings that it speaks of are there.
  add(files) {
    if (!files.length) return;
    this.form.querySelector("[data-results]").hidden = false;
    const sorted = files.toSorted((a, b) => isTable(a) - isTable(b) || a.name.localeCompare(b.name, undefined, { numeric: true }));
    for (const file of sorted) this.waiting.push({ file, row: this.makeRow(file) });
    this.waiting.sort((a, b) => isTable(a.file) - isTable(b.file));
    this.total += files.length;
    this.next();
  }

  makeRow(file) {
    const row = this.form.querySelector("[data-row]").content.firstElementChild.cloneNode(true);
    row.querySelector("[data-name]").textContent = file.name;
    row.querySelector("[data-bar]").setAttribute("aria-label", `Upload of ${file.name}`);
    this.list.append(row);
    this.show(row, "busy", "Waits");
    return row;
  }

  next() {
    while (this.running < AT_ONCE && this.waiting.length && !(isTable(this.waiting[0].file) && this.running)) {
      this.send(this.waiting.shift());
    }
    this.summarise();
    if (!this.busy) refresh();
  }

  send(item) {
    this.running += 1;
    const request = new XMLHttpRequest();
    const bar = item.row.querySelector("[data-bar]");
    this.show(item.row, "busy", "Uploading");
    request.open("POST", this.form.action);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) bar.value = Math.round((100 * event.loaded) / event.total);
    });
    request.upload.addEventListener("load", () => {
      bar.removeAttribute("value");
      this.show(item.row, "busy", "Checking");
    });
    request.addEventListener("loadend", () => this.finish(item, request));
    const body = new FormData();
    body.append("csrfmiddlewaretoken", this.form.querySelector("[name=csrfmiddlewaretoken]").value);
    body.append("recordings", item.file);
    request.send(body);
  }

  finish(item, request) {
    this.running -= 1;
    const result = request.status === 200 ? request.response?.files?.[0] : null;
    if (result) this.showResult(item.row, result);
    else this.showFailure(item, request.status);
    this.next();
  }

  // Of an archive its files are counted, and those that were not accepted are told one by one.
  showResult(row, result) {
    const counts = Object.entries(result.counts).filter(([, count]) => count);
    for (const [state, count] of counts.length ? counts : [[result.state, 1]]) this.counts[state] += count;
    if (counts.length) this.total += counts.reduce((sum, [, count]) => sum + count, 0) - 1;
    row.querySelector("[data-bar]").hidden = true;
    const [tone, word] = SHOWN[result.state];
    this.show(row, tone, word);
    const lines = result.findings.map((finding) => `${finding.text} ${finding.advice}`);
    if (!/^(Accepted|Cannot be used|The same file)\b/.test(result.words)) lines.unshift(result.words);
    lines.push(...result.parts.slice(0, MOST_TOLD).map(told));
    if (result.parts.length > MOST_TOLD) lines.push(`… and ${result.parts.length - MOST_TOLD} more.`);
    this.tell(row, lines);
  }

  showFailure(item, status) {
    this.counts.failed += 1;
    item.row.querySelector("[data-bar]").hidden = true;
    this.show(item.row, "bad", "Not uploaded");
    this.tell(item.row, [reason(status)]);
    const retry = item.row.querySelector("[data-retry]");
    retry.hidden = false;
    retry.onclick = () => {
      this.counts.failed -= 1;
      retry.hidden = true;
      const bar = item.row.querySelector("[data-bar]");
      bar.hidden = false;
      bar.value = 0;
      this.tell(item.row, []);
      this.waiting.push(item);
      this.next();
    };
  }

  show(row, tone, word) {
    const state = row.querySelector("[data-state]");
    state.className = `state state-${tone}`;
    state.textContent = word;
  }

  tell(row, lines) {
    const list = row.querySelector("[data-findings]");
    list.hidden = !lines.length;
    list.replaceChildren(...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })));
  }

  summarise() {
    const { accepted, refused, duplicate, failed } = this.counts;
    const over = accepted + refused + duplicate + failed;
    const parts = [
      this.busy ? `${over} of ${this.total} files` : `${this.total} file${this.total === 1 ? "" : "s"}`,
      accepted && `${accepted} accepted`,
      refused && `${refused} cannot be used`,
      duplicate && `${duplicate} already here`,
      failed && `${failed} not uploaded`,
    ];
    this.form.querySelector("[data-summary]").textContent = parts.filter(Boolean).join(" · ");
    this.form.querySelector("[data-clear]").hidden = this.busy;
  }

  clear() {
    this.list.replaceChildren();
    this.counts = { accepted: 0, refused: 0, duplicate: 0, failed: 0 };
    this.total = 0;
    this.form.querySelector("[data-results]").hidden = true;
  }
}

function told({ name, words, findings }) {
  const reasons = findings.map((finding) => `${finding.text} ${finding.advice}`);
  return `${name}: ${[words, ...reasons].join(" ")}`;
}

function reason(status) {
  if (status === 0) return "The connection was lost.";
  if (status === 403) return "You are signed out, or may not add recordings. Reload the page.";
  if (status === 413) return "The file is too large for the server.";
  return "The server had a problem. Try again in a minute.";
}

// The table is fetched anew when no transcript in it is typed and not saved yet, as its new rows would not know of it.
let held = false;

const tell = (name) => document.body.dispatchEvent(new CustomEvent(name));
const unsaved = () => [...document.querySelectorAll("#recordings textarea")].some((text) => text.value !== text.defaultValue);

function refresh() {
  held = unsaved();
  tell(held ? "readiness-changed" : "recordings-changed");
}

// The readiness cards were told before.
function refreshHeld() {
  if (!held || unsaved()) return;
  held = false;
  tell("recordings-due");
}

// The list of those without a transcript loses a row that has been given one.
const leavesTheList = (text) => document.getElementById("show")?.value === "no_transcript" && text.value.trim() !== "";

// A save that worked makes what was sent the text that the row began with.
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const text = detail.elt.matches("form.transcript") && detail.elt.querySelector("textarea");
  if (!text) return;
  if (detail.successful && !detail.xhr.responseText.includes("field-errors")) {
    text.defaultValue = detail.requestConfig.parameters.transcript;
    held ||= leavesTheList(text);
  }
  refreshHeld();
});
document.addEventListener("focusout", refreshHeld);

// Typing may begin while the new table is on its way.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const bidden = ["recordings-changed", "recordings-due"].includes(detail.requestConfig.triggeringEvent?.type);
  if (!bidden || detail.target.id !== "recordings") return;
  held = unsaved();
  detail.shouldSwap = !held;
});

for (const form of document.querySelectorAll("[data-upload-queue]")) new Queue(form);
