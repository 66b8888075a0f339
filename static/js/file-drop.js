// The field of a file as a place to drop it, with the button of its form once there is a file. Without this script, the
// field and the button stand there as they are.
import { listenForDroppedFiles } from "./dropped-files.js";

const EMPTY = "Drop the file here, or choose it.";

function makeElement(tag, properties) {
  return Object.assign(document.createElement(tag), properties);
}

function makeZone(input) {
  const zone = makeElement("div", { className: "drop-zone file-drop" });
  const text = makeElement("p", { className: "file-drop-text" });
  const choose = makeElement("label", { className: "btn", htmlFor: input.id });
  const hasFocus = document.activeElement === input;
  input.before(zone);
  zone.append(text, choose, input);
  if (hasFocus) input.focus(); // moving it has taken the focus away
  return { zone, text, choose };
}

function showFileDrop(form) {
  const input = form.querySelector("input[type=file]");
  const button = form.querySelector("button");
  const { zone, text, choose } = makeZone(input);
  const show = () => {
    const [file] = input.files;
    text.textContent = file ? file.name : EMPTY;
    zone.classList.toggle("has-file", Boolean(file));
    choose.textContent = file ? "Choose another" : "Choose the file";
    button.hidden = !file;
  };
  input.addEventListener("change", show);
  // Some browsers keep the chosen file when a person comes back to the page.
  window.addEventListener("pageshow", show);
  listenForDroppedFiles(zone, input);
  show();
}

for (const form of document.querySelectorAll("[data-file-drop] form")) showFileDrop(form);
