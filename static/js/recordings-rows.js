// The rows of the table of recordings: the current one, opened details, and the transcript that is edited in place.
import "./recordings-prepare.js"; // first: all else finds rows by their id
import { isUnsaved, listStoredFields, restoreTexts } from "./unsaved.js";

// The columns of a row, whose cells have no classes.
const COLUMNS = { play: 1, wave: 2, name: 3, text: 4, findings: 7, use: 8 };
const ZERO = /0{8}-(0{4}-){3}0{12}/g;

export const findTable = () => document.querySelector(".row-table");
export const findRow = (id) => document.getElementById(`row-${id}`);
const ROW = ".row-table [id^=row-]";

export const listRows = () => [...document.querySelectorAll(ROW)];
export const getId = (row) => row.id.slice("row-".length);
export const getCell = (row, name) => row.cells[COLUMNS[name]];
export const findCurrent = () => document.querySelector(".row-table .is-current");
// The address for one recording, from the pattern that the section has.
export const fillIn = (name, id) => document.getElementById("recordings").dataset[name].replace(ZERO, id);

const isPlainClick = (event) => !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button);

// --- The current row ---

let currentId = "";

export function makeCurrent(row, { focus = false } = {}) {
  for (const one of listRows()) one.classList.toggle("is-current", one === row);
  currentId = getId(row);
  if (!focus) return;
  row.tabIndex = -1;
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

document.addEventListener("focusin", ({ target }) => {
  const row = target.closest(ROW) ?? target.closest(".row-table .details")?.previousElementSibling;
  if (row) makeCurrent(row);
});

// --- Details ---

const findDetails = (id) => document.getElementById(`details-${id}`);
const findOpened = () => document.querySelector(".row-table .details");
const getLink = (row) => row.querySelector("th a");

function showOpened(id) {
  for (const row of listRows()) {
    const link = getLink(row);
    if (getId(row) === id) link.setAttribute("aria-expanded", "true");
    else link.removeAttribute("aria-expanded");
  }
  const address = new URL(location.href);
  if (id) address.searchParams.set("open", id);
  else address.searchParams.delete("open");
  history.replaceState(history.state, "", address);
}

function closeDetails() {
  findOpened()?.remove();
  showOpened("");
}

export function toggleDetails(row) {
  const id = getId(row);
  const isOpen = Boolean(findDetails(id));
  closeDetails();
  if (!isOpen) loadDetails(id, row, "afterend");
}

async function loadDetails(id, target, swap) {
  try {
    await window.htmx.ajax("GET", fillIn("details", id), { source: getLink(findRow(id)), target, swap });
  } catch {
    return; // a failure is shown by its event
  }
  if (findDetails(id)) showOpened(id);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest(`${ROW} th a`);
  if (!link || !isPlainClick(event)) return;
  event.preventDefault();
  toggleDetails(link.closest("tr"));
});

function leaveDetails(details) {
  const row = details.previousElementSibling;
  closeDetails();
  makeCurrent(row, { focus: true });
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-close-row]");
  if (!button || !isPlainClick(event)) return;
  event.preventDefault();
  leaveDetails(button.closest(".details"));
});

document.addEventListener("keydown", (event) => {
  const details = event.key === "Escape" && event.target.closest(".details");
  if (details) leaveDetails(details);
});

document.addEventListener("htmx:configRequest", ({ detail }) => {
  // htmx finds only a button that names its type, which 100 switches would have to.
  const switched = detail.elt.id === "switches" && detail.triggeringEvent?.submitter;
  if (switched) detail.parameters[switched.name] = switched.value;
  // The table and its poll keep what is open.
  const opened = findOpened();
  if (!opened || !["recordings", "recordings-poller"].includes(detail.elt.id)) return;
  detail.parameters.open = opened.id.slice("details-".length);
});

// --- The transcript ---

export function openEditor(row, { focus = true } = {}) {
  const button = row.querySelector("[data-edit]");
  const template = document.getElementById("transcript-editor");
  if (!button || !template) return;
  const holder = document.createElement("template");
  holder.innerHTML = template.innerHTML.replace(ZERO, getId(row));
  const form = holder.content.querySelector("form");
  const field = form.elements.transcript;
  field.defaultValue = button.textContent;
  field.setAttribute("aria-label", `Transcript of ${getLink(row).textContent.trim()}`);
  form.elements.version.value = button.dataset.edit;
  getCell(row, "text").replaceChildren(form);
  window.htmx.process(form);
  restoreTexts(form);
  if (!focus) return;
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
}

function closeEditor(form, isSaved = false) {
  const button = document.createElement("button");
  button.textContent = form.elements.transcript.value;
  button.dataset.edit = form.elements.version.value;
  if (!button.textContent) button.setAttribute("aria-label", "Type the transcript");
  const parts = [button];
  if (isSaved) {
    const note = Object.assign(document.createElement("span"), { className: "row-saved", textContent: "Saved" });
    note.dataset.saved = "";
    parts.push(note);
  }
  form.replaceWith(...parts);
}

// The checks of a saved transcript refresh its row at once. The note stays while the text is the saved one.
function keepSavedNote(cell, fresh) {
  const note = cell.querySelector(".row-saved");
  const readText = (part) => part.querySelector("[data-edit]")?.textContent;
  if (note && readText(cell) === readText(fresh)) fresh.append(note);
}

const isBusy = (form) => form.classList.contains("htmx-request") || form.querySelector("[data-conflict], .field-errors");

document.addEventListener("click", (event) => {
  const button = event.target.closest(".row-table [data-edit]");
  if (button) openEditor(button.closest("tr"));
});

document.addEventListener("keydown", (event) => {
  const form = event.target.closest(".row-table form.transcript");
  if (!form || event.isComposing) return;
  const row = form.closest("tr");
  if (event.key === "Enter" && !event.shiftKey && event.target.matches("textarea")) {
    event.preventDefault();
    makeCurrent(row, { focus: true }); // leaving the text saves it
  } else if (event.key === "Escape") {
    event.target.value = event.target.defaultValue;
    makeCurrent(row, { focus: true });
  }
});

document.addEventListener("focusout", ({ target }) => {
  const form = target.closest(".row-table form.transcript");
  // "change" comes before "focusout", so that a request is under way already.
  if (form) setTimeout(() => closeUnchanged(form));
});

function closeUnchanged(form) {
  if (form.isConnected && !form.contains(document.activeElement) && !isUnsaved(form.elements.transcript) && !isBusy(form)) closeEditor(form);
}

document.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!detail.elt.matches("form.transcript") || !detail.successful) return;
  const form = document.getElementById(detail.elt.id);
  if (form?.closest(".row-table") && !isUnsaved(form.elements.transcript) && !isBusy(form)) closeEditor(form, true);
});

// --- Answers of the server ---

const findSwitch = (details) => details.querySelector("[data-switch]");

// Details in which a person is at work stay as they are, unless they have just pressed the switch there.
async function updateDetails(id) {
  const details = findDetails(id);
  if (!details) return;
  const hasFocus = details.contains(document.activeElement);
  if (hasFocus && document.activeElement !== findSwitch(details)) return;
  await loadDetails(id, details, "outerHTML");
  if (hasFocus) findSwitch(findDetails(id))?.focus();
}

let leftFocus = null; // what had the focus before a part of its row was replaced

document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target, fragment } = event.detail;
  if (!target.closest?.(".row-table")) return;
  if (target.querySelector("form.transcript")) event.preventDefault();
  keepSavedNote(target, fragment);
  if (target.contains(document.activeElement)) leftFocus = target;
});

document.addEventListener("htmx:oobAfterSwap", ({ detail: { target } }) => {
  const row = target.closest?.(ROW);
  if (!row) return;
  if (leftFocus === target) (target.querySelector("button") ?? row).focus();
  leftFocus = null;
  const isLast = target === getCell(row, "use");
  if (isLast) updateDetails(getId(row));
  const isOut = row.querySelector("[role=switch]")?.getAttribute("aria-checked") === "false";
  if (isLast) row.classList.toggle("is-out", isOut);
});

// Text that this tab kept comes back in its row. The current row stays so in a new table.
function restoreRows() {
  for (const key of listStoredFields()) {
    const row = key.startsWith("transcript-") && findRow(key.slice("transcript-".length));
    if (row) openEditor(row, { focus: false });
  }
  const row = currentId && findRow(currentId);
  if (row && !findCurrent()) makeCurrent(row, { focus: document.activeElement === document.body });
}

document.addEventListener("htmx:load", ({ target }) => {
  if (target.id === "recordings") restoreRows();
});
restoreRows();
