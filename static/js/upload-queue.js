// Uploads many files, three at a time, each with its own progress bar and result. Without this script the form sends
// all files in one request.
import { refreshRecordings } from "./recordings-refresh.js";
import { refreshToken } from "./session.js";
import { endWork, showWork } from "./work-progress.js";

const MAX_PARALLEL = 3;
const BADGES = { accepted: ["good", "Usable"], refused: ["bad", "Not usable"], duplicate: ["over", "Already here"] };
const MAX_LISTED = 50; // files of an archive whose problems are listed
const POLL_DELAY = 500; // milliseconds
const NO_ID = "00000000-0000-0000-0000-000000000000"; // stands for the id in the address of the progress
const isArchive = (file) => /\.(zip|tar|tgz|gz|tbz2?|bz2|txz|xz)$/i.test(file.name);
const isTable = (file) => /\.(csv|tsv|txt|jsonl)$/i.test(file.name);

class UploadQueue {
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
      this.addFiles([...chooser.files]);
      chooser.value = "";
    });
    for (const button of document.querySelectorAll("[data-choose]")) button.addEventListener("click", () => chooser.click());
    form.addEventListener("submit", (event) => event.preventDefault());
    form.querySelector("[data-clear]").addEventListener("click", () => this.clearResults());
    this.acceptDrops(form.querySelector("[data-drop]"));
    window.addEventListener("beforeunload", (event) => {
      if (this.isBusy) event.preventDefault();
    });
  }

  get isBusy() {
    return this.running + this.waiting.length > 0;
  }

  acceptDrops(area) {
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
      this.addFiles([...event.dataTransfer.files]);
    });
  }

  // A transcript table is uploaded last, after the recordings that it refers to.
  addFiles(files) {
    if (!files.length) return;
    this.form.querySelector("[data-results]").hidden = false;
    const sorted = files.toSorted((a, b) => isTable(a) - isTable(b) || a.name.localeCompare(b.name, undefined, { numeric: true }));
    for (const file of sorted) this.waiting.push({ file, row: this.createRow(file) });
    this.waiting.sort((a, b) => isTable(a.file) - isTable(b.file));
    this.total += files.length;
    this.startNext();
  }

  createRow(file) {
    const row = this.form.querySelector("[data-row]").content.firstElementChild.cloneNode(true);
    row.querySelector("[data-name]").textContent = file.name;
    row.querySelector("[data-bar]").setAttribute("aria-label", `Upload of ${file.name}`);
    this.list.append(row);
    this.showBadge(row, "busy", "Waiting");
    return row;
  }

  startNext() {
    while (this.running < MAX_PARALLEL && this.waiting.length && !(isTable(this.waiting[0].file) && this.running)) {
      this.upload(this.waiting.shift());
    }
    this.showSummary();
    if (!this.isBusy) refreshRecordings();
  }

  upload(item) {
    this.running += 1;
    const request = new XMLHttpRequest();
    const bar = item.row.querySelector("[data-bar]");
    item.id = crypto.randomUUID?.() ?? "";
    this.showBadge(item.row, "busy", "Uploading");
    request.open("POST", this.form.action);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) bar.value = Math.round((100 * event.loaded) / event.total);
    });
    request.upload.addEventListener("load", () => {
      bar.removeAttribute("value");
      this.showBadge(item.row, "busy", "Checking");
      if (item.id && isArchive(item.file)) this.pollProgress(item);
    });
    request.addEventListener("loadend", () => this.handleResponse(item, request));
    const body = new FormData();
    body.append("csrfmiddlewaretoken", this.form.querySelector("[name=csrfmiddlewaretoken]").value);
    body.append("recordings", item.file);
    if (item.id) body.append("progress", item.id);
    request.send(body);
  }

  // Shows how many files of an archive were read and checked, until the upload is answered.
  async pollProgress(item) {
    item.isProcessed = false;
    while (!item.isProcessed) {
      await new Promise((resolve) => setTimeout(resolve, POLL_DELAY));
      const response = await fetch(this.form.dataset.progress.replace(NO_ID, item.id)).catch(() => null);
      const progress = response?.ok ? await response.json().catch(() => ({})) : {};
      if (progress.total && !item.isProcessed) this.showProgress(item, progress);
    }
  }

  showProgress(item, { text, end, done, total, percent }) {
    const bar = item.row.querySelector("[data-bar]");
    const sentence = [text, end].filter(Boolean).join(", ");
    bar.value = percent;
    bar.setAttribute("aria-valuetext", sentence);
    item.row.querySelector("[data-progress-text]").textContent = sentence;
    showWork(`upload-${item.id}`, `(${done}/${total}) Checking – ${item.file.name}`, sentence, percent);
  }

  handleResponse(item, request) {
    this.running -= 1;
    item.isProcessed = true;
    item.row.querySelector("[data-progress-text]").textContent = "";
    item.row.querySelector("[data-bar]").removeAttribute("aria-valuetext");
    endWork(`upload-${item.id}`, request.status === 200 ? `✓ Checked – ${item.file.name}` : `! Not uploaded – ${item.file.name}`);
    const result = request.status === 200 ? request.response?.files?.[0] : null;
    if (result) this.showResult(item.row, result);
    else this.showFailure(item, request);
    this.startNext();
  }

  // For an archive: counts its files, and lists those that were not accepted.
  showResult(row, result) {
    const counts = Object.entries(result.counts).filter(([, count]) => count);
    for (const [state, count] of counts.length ? counts : [[result.state, 1]]) this.counts[state] += count;
    if (counts.length) this.total += counts.reduce((sum, [, count]) => sum + count, 0) - 1;
    row.querySelector("[data-bar]").hidden = true;
    const [tone, label] = BADGES[result.state];
    this.showBadge(row, tone, label);
    const lines = result.findings.map((finding) => `${finding.text} ${finding.advice}`);
    if (!/^(Usable|Not usable|Already uploaded)\b/.test(result.text)) lines.unshift(result.text);
    lines.push(...result.parts.slice(0, MAX_LISTED).map(describePart));
    if (result.parts.length > MAX_LISTED) lines.push(`… and ${result.parts.length - MAX_LISTED} more.`);
    this.showLines(row, lines);
  }

  showFailure(item, request) {
    this.counts.failed += 1;
    item.row.querySelector("[data-bar]").hidden = true;
    this.showBadge(item.row, "bad", "Not uploaded");
    this.showLines(item.row, [request.response?.problem ?? explainStatus(request.status)]);
    const retry = item.row.querySelector("[data-retry]");
    retry.hidden = false;
    if (request.status === 401) document.dispatchEvent(new CustomEvent("session-ended"));
    retry.onclick = async () => {
      await refreshToken(); // the last answer may have been that the form's token is out of date
      this.counts.failed -= 1;
      retry.hidden = true;
      const bar = item.row.querySelector("[data-bar]");
      bar.hidden = false;
      bar.value = 0;
      this.showLines(item.row, []);
      this.waiting.push(item);
      this.startNext();
    };
  }

  showBadge(row, tone, label) {
    const state = row.querySelector("[data-state]");
    state.className = `state state-${tone}`;
    state.textContent = label;
  }

  showLines(row, lines) {
    const list = row.querySelector("[data-findings]");
    list.hidden = !lines.length;
    list.replaceChildren(...lines.map((line) => Object.assign(document.createElement("li"), { textContent: line })));
  }

  showSummary() {
    const { accepted, refused, duplicate, failed } = this.counts;
    const finished = accepted + refused + duplicate + failed;
    const parts = [
      this.isBusy ? `${finished} of ${this.total} files` : `${this.total} file${this.total === 1 ? "" : "s"}`,
      accepted && `${accepted} usable`,
      refused && `${refused} not usable`,
      duplicate && `${duplicate} already here`,
      failed && `${failed} not uploaded`,
    ];
    this.form.querySelector("[data-summary]").textContent = parts.filter(Boolean).join(" · ");
    this.form.querySelector("[data-clear]").hidden = this.isBusy;
  }

  clearResults() {
    this.list.replaceChildren();
    this.counts = { accepted: 0, refused: 0, duplicate: 0, failed: 0 };
    this.total = 0;
    this.form.querySelector("[data-results]").hidden = true;
  }
}

function describePart({ name, text, findings }) {
  const reasons = findings.map((finding) => `${finding.text} ${finding.advice}`);
  return `${name}: ${[text, ...reasons].join(" ")}`;
}

function explainStatus(status) {
  if (status === 0) return "The connection was lost.";
  if (status === 403) return "You are signed out, or may not add recordings. Reload the page.";
  if (status === 413) return "The file is too large for the server.";
  return "The server had a problem. Try again in a minute.";
}

for (const form of document.querySelectorAll("[data-upload-queue]")) new UploadQueue(form);
