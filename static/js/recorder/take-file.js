// Sends a file with the statement while the page stays: a problem stands beside the field, and the file stays chosen.
// Without this script, the server answers with the page that shows the problem in the same place.
import { translate } from "../translate.js";
import { deleteTake } from "./take-store.js";
import { postForm } from "./upload.js";
import { hashSha256 } from "./wav.js";

const TIMEOUT_MS = 600000; // a phone may need minutes for the largest file
const UNREADABLE = translate("This browser could not read the file. Choose it again.");
const NO_CONNECTION = translate(
  "There is no connection, so the file was not sent. Send it again when the connection is back.",
);
const PAGE_ENDED = translate("The file was not sent, because this page no longer works. Reload it to see why.");
const OTHER_PROBLEM = translate("The studio could not receive the file. Send it again in a minute.");
const STATUS_TEXTS = {
  0: NO_CONNECTION,
  200: PAGE_ENDED, // the page of another address, such as the sign-in
  401: PAGE_ENDED,
  403: PAGE_ENDED,
  404: PAGE_ENDED,
  502: NO_CONNECTION,
  504: NO_CONNECTION,
};

// With its hash, a file that is sent again after a lost response is recognized. Only secure pages can compute it.
async function makeFields(form) {
  const fields = new FormData(form);
  const content = await form.elements.file.files[0].arrayBuffer();
  if (crypto.subtle) fields.set("sha256", await hashSha256(content));
  return fields;
}

class TakeFileForm {
  constructor(form) {
    this.form = form;
    this.field = form.elements.file;
    this.button = form.querySelector("button");
    this.problem = form.querySelector("[data-part=problem]");
    this.status = form.querySelector("[data-part=status]");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.field.addEventListener("change", () => this.showProblem(this.findProblem()));
    if (this.findProblem()) this.showProblem(this.findProblem()); // it was chosen before this script was loaded
  }

  findProblem() {
    const size = this.field.files[0]?.size ?? 0;
    return size > Number(this.form.dataset.maxBytes) ? this.form.dataset.tooLarge : "";
  }

  showProblem(text) {
    this.problem.textContent = text;
    this.problem.hidden = !text;
    this.field.toggleAttribute("aria-invalid", Boolean(text));
    this.status.textContent = "";
  }

  showProgress(share) {
    const percent = Math.floor(share * 100);
    this.status.textContent = share < 1 ? translate("Sending: {percent} %", { percent }) : translate("Checking the file …");
  }

  async send() {
    this.button.disabled = true;
    const problem = this.findProblem() || (await this.sendFile());
    this.button.disabled = false;
    if (!problem) return;
    this.showProblem(problem);
    this.field.focus();
  }

  // Returns the problem, or nothing once the next page loads.
  async sendFile() {
    this.showProblem("");
    this.showProgress(0);
    const fields = await makeFields(this.form).catch(() => null);
    if (!fields) return UNREADABLE;
    const token = fields.get("csrfmiddlewaretoken");
    const showProgress = (share) => this.showProgress(share);
    const { status, body } = await postForm(this.form.action, token, fields, showProgress, TIMEOUT_MS);
    if (!body.next) return body.problem || STATUS_TEXTS[status] || OTHER_PROBLEM;
    await deleteTake(this.form.dataset.key); // a recording that was not sent: the file has taken its place
    location.assign(body.next);
    return "";
  }
}

for (const form of document.querySelectorAll("form[data-take-file]")) new TakeFileForm(form);
