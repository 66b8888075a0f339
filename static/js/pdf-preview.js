// Shows the PDF of the contract form: the chosen file, or else the one that the server kept after an error.
const panel = document.querySelector("[data-pdf-preview]");
const input = document.querySelector("input[type=file][name=file]");
const kept = document.querySelector("[data-kept-pdf]");
const text = panel.querySelector("[data-pdf-text]");
const link = panel.querySelector("[data-pdf-link]");
const EMPTY = text.textContent;
const PDF = "application/pdf";
// A PDF has its header within the first 1,024 bytes.
const HEADER = "%PDF-";
const HEADER_BYTES = 1024;

let address = "";
let newestCall = 0; // the number of the newest call of showFile: a slower, earlier one shows nothing

function clearPreview(message) {
  panel.querySelector("iframe")?.remove();
  panel.classList.remove("has-pdf");
  panel.querySelector("[data-pdf-name]").textContent = "";
  link.hidden = true;
  text.textContent = message;
  if (address) URL.revokeObjectURL(address);
  address = "";
}

async function isPdf(file) {
  return (await file.slice(0, HEADER_BYTES).text()).includes(HEADER);
}

async function showFile(file, name) {
  const thisCall = ++newestCall;
  const isShowable = await isPdf(file).catch(() => false);
  if (thisCall !== newestCall) return;
  if (!isShowable) return clearPreview("This file is not a PDF. Save or scan the contract as a PDF and choose it again.");
  clearPreview("This browser does not show PDFs in a page. Open it in a tab to read it.");
  // With this type the browser never reads the file as a web page, whatever its name says.
  address = URL.createObjectURL(new Blob([file], { type: PDF }));
  Object.assign(link, { href: address, hidden: false });
  panel.querySelector("[data-pdf-name]").textContent = name;
  if (!navigator.pdfViewerEnabled) return;
  // As wide as the frame, and without the browser's toolbar: "Open in a tab" has that.
  const src = `${address}#view=FitH&navpanes=0&toolbar=0`;
  panel.append(Object.assign(document.createElement("iframe"), { src, title: `Preview of ${name}` }));
  panel.classList.add("has-pdf");
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

panel.hidden = false;
input.addEventListener("change", showCurrentFile);
// Some browsers keep the chosen file when a person comes back to the page.
window.addEventListener("pageshow", showCurrentFile);
