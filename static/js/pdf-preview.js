// The PDF of the contract form: chosen, dropped anywhere on the page, or else the one that the server kept after an
// error. It is shown beside the fields. The plain file field stays what sends it.
import { listenForDroppedFiles } from "./dropped-files.js";

const panel = document.querySelector("[data-pdf-preview]");
const input = document.querySelector("input[type=file][name=file]");
const kept = document.querySelector("[data-kept-pdf]");
const [drop, text, label, choose, link] = ["drop", "text", "name", "choose", "link"].map((name) =>
  panel.querySelector(`[data-pdf-${name}]`),
);
const EMPTY = text.textContent;
const PDF = "application/pdf";
// A PDF has its header within the first 1,024 bytes.
const HEADER = "%PDF-";
const HEADER_BYTES = 1024;

let address = "";
let newestCall = 0; // the number of the newest call of showFile: a slower, earlier one shows nothing

function showText(message) {
  text.textContent = message;
  text.hidden = !message;
  text.classList.toggle("is-empty", message === EMPTY);
}

function clearPreview(message) {
  panel.querySelector(".pdf-pages")?.remove();
  panel.classList.remove("has-file");
  for (const element of [link, label]) element.hidden = true;
  choose.textContent = "Choose the file";
  showText(message);
  if (address) URL.revokeObjectURL(address);
  address = "";
}

async function isPdf(file) {
  return (await file.slice(0, HEADER_BYTES).text()).includes(HEADER);
}

function showPages(name) {
  // As wide as the frame, and without the browser's toolbar: "Open the PDF" has that.
  const src = `${address}#view=FitH&navpanes=0&toolbar=0`;
  const pages = Object.assign(document.createElement("div"), { className: "pdf-pages" });
  pages.append(Object.assign(document.createElement("iframe"), { src, title: `Preview of ${name}` }));
  panel.append(pages);
}

async function showFile(file, name) {
  const thisCall = ++newestCall;
  const isShowable = await isPdf(file).catch(() => false);
  if (thisCall !== newestCall) return;
  if (!isShowable) return clearPreview("This file is not a PDF. Save or scan the contract as a PDF and choose it again.");
  clearPreview("");
  // With this type the browser never reads the file as a web page, whatever its name says.
  address = URL.createObjectURL(new Blob([file], { type: PDF }));
  Object.assign(link, { href: address, hidden: false });
  Object.assign(label, { textContent: name, hidden: false });
  choose.textContent = "Choose another";
  panel.classList.add("has-file");
  if (navigator.pdfViewerEnabled) showPages(name);
}

async function showKeptFile() {
  const thisCall = ++newestCall;
  clearPreview("Loading the kept file.");
  try {
    const response = await fetch(kept.dataset.keptPdf);
    if (!response.ok) throw new Error(response.statusText);
    const file = await response.blob();
    if (thisCall === newestCall) await showFile(file, kept.dataset.name);
  } catch {
    if (thisCall !== newestCall) return;
    clearPreview("The kept file could not be loaded. Reload the page, or choose the file again.");
  }
}

function showCurrentFile() {
  const [file] = input.files;
  if (file) showFile(file, file.name);
  else if (kept) showKeptFile();
  else {
    newestCall += 1;
    clearPreview(EMPTY);
  }
}

panel.classList.add("is-live");
listenForDroppedFiles(drop, input);
choose.hidden = false;
input.addEventListener("change", showCurrentFile);
// Some browsers keep the chosen file when a person comes back to the page.
window.addEventListener("pageshow", showCurrentFile);
