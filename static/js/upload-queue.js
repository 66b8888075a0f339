// The place where files and folders are dropped or chosen. All of them go into one import, with one line and one bar of
// progress; only files with a problem are listed. Without this script the form sends all files in one request.
import { listChosenFiles, listDroppedFiles } from "./dropped-entries.js";
import { ImportUploads } from "./import-uploads.js";
import { ProblemList } from "./problem-list.js";
import { isUnsaved } from "./unsaved.js";
import { endWork, showWork } from "./work-progress.js";

const RENDER_DELAY = 250; // milliseconds
const ESTIMATE_AFTER = 5000; // milliseconds, before which the time left is a guess
const WORK = "upload";
const STATE_TEXTS = {
  signed_out: "You are signed out. Sign in again in another tab, then continue.",
  other_user: "Someone else has signed in. Reload the page.",
};
const UNITS = ["kB", "MB", "GB"];

function formatSize(bytes) {
  if (!bytes) return "0 kB";
  const power = Math.min(Math.max(Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(1000)), 1), UNITS.length);
  const value = bytes / 1000 ** power;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ${UNITS[power - 1]}`;
}

const formatFiles = (count) => `${count.toLocaleString("en")} ${count === 1 ? "file" : "files"}`;

function formatTimeLeft(milliseconds) {
  const minutes = Math.round(milliseconds / 60_000);
  if (minutes < 1) return "less than a minute left";
  return minutes < 60 ? `about ${minutes} min left` : `about ${Math.floor(minutes / 60)} h ${minutes % 60} min left`;
}

// Whether the person types something that a new page would take away.
const isTyping = () =>
  document.activeElement?.matches("textarea, input:not([type=file])") || [...document.querySelectorAll("textarea")].some(isUnsaved);

class UploadQueue {
  constructor(form) {
    this.form = form;
    this.parts = {};
    for (const part of form.querySelectorAll("[data-part]")) this.parts[part.dataset.part] = part;
    this.uploads = new ImportUploads(form.action, () => this.render());
    this.problems = new ProblemList(this.parts.problems);
    this.parts.plain.hidden = true;
    this.acceptChoices(form.querySelector("#files"), document.querySelectorAll("[data-choose]"));
    this.acceptFolders(document.querySelectorAll("[data-choose-folder]"));
    this.acceptDrops(form.querySelector("[data-drop]"));
    document.querySelector("[data-continue]")?.addEventListener("click", () => this.chooseAgain());
    form.addEventListener("submit", (event) => event.preventDefault());
    this.parts.resume.addEventListener("click", () => this.uploads.resume());
    this.parts.retry.addEventListener("click", () => this.uploads.retryFailed());
    window.addEventListener("beforeunload", (event) => {
      if (this.uploads.isBusy) event.preventDefault();
    });
  }

  // Files may have been chosen before this script was loaded.
  acceptChoices(input, buttons) {
    const take = () => {
      this.addFiles(listChosenFiles(input));
      input.value = "";
    };
    input.addEventListener("change", take);
    if (input.files.length) take();
    for (const button of buttons) button.addEventListener("click", () => input.click());
  }

  acceptFolders(buttons) {
    const input = Object.assign(document.createElement("input"), { type: "file", webkitdirectory: true });
    const isPossible = "webkitdirectory" in HTMLInputElement.prototype;
    if (isPossible) this.acceptChoices(input, buttons);
    for (const button of buttons) {
      button.hidden = !isPossible;
      button.classList.add("is-ready");
    }
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
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      area.classList.remove("over");
      this.addDropped(event.dataTransfer);
    });
  }

  // Reading a folder of thousands of files takes seconds.
  async addDropped(transfer) {
    const listing = listDroppedFiles(transfer);
    this.showSummary("Reading the folder…");
    try {
      await this.addFiles(await listing);
    } catch (error) {
      this.showSummary(error.message);
    }
  }

  // The person wants the import that was interrupted, whatever is chosen.
  chooseAgain() {
    this.isContinuing = true;
    this.form.querySelector("#files").click();
  }

  async addFiles(files) {
    if (!files.length) return this.showSummary("There are no files in it.");
    this.startedAt ??= performance.now();
    const { uploads, url } = this.form.dataset;
    if (uploads) await this.uploads.continueIfKnown(uploads, url, files, this.isContinuing);
    await this.uploads.add(files.toSorted((a, b) => a.path.localeCompare(b.path, undefined, { numeric: true })));
  }

  // --- What the page shows ---

  render() {
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.show();
    }, RENDER_DELAY);
  }

  show() {
    const counts = this.uploads.count();
    const percent = counts.bytes ? (100 * counts.sent) / counts.bytes : 100;
    const isEnded = !this.uploads.isBusy;
    this.parts.bar.value = percent;
    this.parts.bar.hidden = isEnded;
    this.showSummary(isEnded ? this.describeEnd(counts) : this.describeProgress(counts));
    this.parts.resume.hidden = this.uploads.state !== "signed_out";
    this.showProblems(isEnded);
    if (isEnded) this.end(counts);
    else showWork(WORK, `(${counts.done}/${counts.files}) Uploading`, this.describeProgress(counts), percent);
  }

  describeProgress(counts) {
    const { state, reason } = this.uploads;
    const progress = `${counts.done.toLocaleString("en")} of ${formatFiles(counts.files)} uploaded · ${formatSize(counts.sent)} of ${formatSize(counts.bytes)}`;
    if (state === "offline") return `${progress} · ${reason} The upload goes on by itself.`;
    if (STATE_TEXTS[state]) return `${progress} · ${STATE_TEXTS[state]}`;
    return [progress, this.estimate(counts)].filter(Boolean).join(" · ");
  }

  estimate(counts) {
    this.firstSent ??= counts.sent;
    const elapsed = performance.now() - this.startedAt;
    const sent = counts.sent - this.firstSent;
    if (elapsed < ESTIMATE_AFTER || sent <= 0) return "";
    return formatTimeLeft((elapsed * (counts.bytes - counts.sent)) / sent);
  }

  describeEnd(counts) {
    const failed = this.uploads.problems.length;
    const done = `${formatFiles(counts.done)} uploaded`;
    return failed ? `${done} · ${failed.toLocaleString("en")} not uploaded` : done;
  }

  showSummary(text) {
    this.parts.results.hidden = false;
    this.parts.summary.textContent = text;
  }

  showProblems(isEnded) {
    const { problems } = this.uploads;
    this.parts.retry.hidden = !isEnded || !problems.length;
    this.problems.show(problems);
  }

  // Opens the preview once all files have arrived. A person who types, or has a problem to read, does it later.
  end(counts) {
    const { problems, url } = this.uploads;
    endWork(WORK, problems.length ? "! Not all files uploaded" : "✓ Uploaded");
    this.parts.preview.hidden = !url || !counts.done;
    this.parts.preview.href = url;
    if (url && counts.done && !problems.length && !isTyping()) location.assign(url);
  }
}

for (const form of document.querySelectorAll("[data-upload-queue]")) new UploadQueue(form);
