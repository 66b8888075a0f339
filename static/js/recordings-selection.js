// The selected rows of the table of recordings: ranges, the whole page, the bar of actions, what was done and its undo.
import { clearOthers, forgetOthers, getScope, loadOthers, readOthers, restoreOthers, saveOthers } from "./selected-others.js";
import { showDone } from "./toasts.js";

const BOXES = "input[name=recording][form=bulk]";
const DONE = "recordings-done";
const ANNOUNCE_DELAY = 300; // ms, so that a range is announced once

let selected = new Set();
let selectedFilter = null; // the filter whose rows are all selected, or null
let rangeStart = "";

const getForm = () => document.getElementById("bulk");
const getPageBox = () => document.querySelector("[data-select-page]");
const getAllBox = () => getForm()?.elements.namedItem("all");
const listBoxes = () => [...document.querySelectorAll(BOXES)];

// --- What a screen reader hears ---

const status = Object.assign(document.createElement("p"), { className: "visually-hidden" });
status.setAttribute("role", "status");
document.body.append(status);
let announcement = 0;

function announce(text) {
  clearTimeout(announcement);
  announcement = setTimeout(() => (status.textContent = text), ANNOUNCE_DELAY);
}

// --- What the page shows ---

function countSelected() {
  return getAllBox()?.checked ? Number(getForm().dataset.total) : selected.size + readOthers().length;
}

function describeCount(noun = "") {
  const count = countSelected().toLocaleString("en");
  const others = getAllBox()?.checked ? 0 : readOthers().length;
  return `${count}${noun} selected${others ? `, ${others.toLocaleString("en")} on other pages` : ""}`;
}

function showPageBox(boxes) {
  const box = getPageBox();
  if (!box) return;
  const count = boxes.filter((one) => one.checked).length;
  box.checked = count > 0 && count === boxes.length;
  box.indeterminate = count > 0 && count < boxes.length;
}

// “Exclude” only if a selected row is in builds, “Include” only if one is not. Rows of other pages can be both.
function showActions(boxes) {
  const isMore = getAllBox()?.checked || readOthers().length > 0;
  const states = boxes.filter((one) => one.checked).map((one) => one.closest("tr").querySelector("[role=switch]")?.ariaChecked);
  for (const [action, state] of [["leave_out", "true"], ["include", "false"]]) {
    const button = document.getElementById(`bulk-${action}`);
    if (button) button.hidden = !isMore && !states.includes(state);
  }
}

function show() {
  const boxes = listBoxes();
  selected = new Set(boxes.filter((box) => box.checked).map((box) => box.value));
  showPageBox(boxes);
  saveOthers(selected, Boolean(getAllBox()?.checked));
  showActions(boxes);
  const label = getForm()?.querySelector("[data-selection-count]");
  if (!label) return;
  label.hidden = false;
  label.textContent = describeCount();
}

function update() {
  const before = countSelected();
  show();
  const count = countSelected();
  selectedFilter = getAllBox()?.checked ? getScope() : null;
  if (selectedFilter) clearOthers();
  if (count || before) announce(count ? `${describeCount(" recordings")}. Actions are below the table.` : "No recording selected.");
}

// The poll and each action replace rows: those that are still there stay selected. So do those of other pages, as long
// as the list has the same filter and search.
function restore() {
  const isSameFilter = selectedFilter !== null && getScope() === selectedFilter;
  const box = getAllBox();
  if (box) box.checked = isSameFilter;
  const boxes = listBoxes();
  const chosen = restoreOthers(selected, boxes.map((one) => one.value));
  for (const one of boxes) one.checked = chosen.has(one.value) || Boolean(box?.checked);
  if (box?.checked) clearOthers();
  else selectedFilter = null;
  show();
}

function clear() {
  for (const box of [...listBoxes(), getAllBox()]) if (box) box.checked = false;
  clearOthers();
  rangeStart = "";
  update();
}

// --- Selecting ---

function selectRange(box) {
  const boxes = listBoxes();
  const ends = [boxes.findIndex((one) => one.value === rangeStart), boxes.indexOf(box)].sort((a, b) => a - b);
  if (ends[0] < 0) return;
  for (const one of boxes.slice(ends[0], ends[1] + 1)) one.checked = box.checked;
}

document.addEventListener("click", (event) => {
  const box = event.target;
  if (!box.matches?.(BOXES)) return;
  if (event.shiftKey) selectRange(box);
  rangeStart = box.value;
  const all = getAllBox();
  if (all && !box.checked) all.checked = false;
  update();
});

document.addEventListener("change", ({ target }) => {
  if (!target.matches("[data-select-page]") && target !== getAllBox()) return;
  const all = getAllBox();
  if (all && !target.checked) all.checked = false;
  for (const box of listBoxes()) box.checked = target.checked;
  update();
});

document.addEventListener("reset", ({ target }) => {
  if (target.id !== "bulk") return;
  setTimeout(() => {
    clear();
    getPageBox()?.focus();
  });
});

document.addEventListener("htmx:afterSwap", restore);
window.addEventListener("pageshow", show);

// A download leaves the page as it is.
document.addEventListener("submit", ({ target, submitter }) => {
  if (target === getForm() && !submitter?.matches("[data-download]")) forgetOthers();
});

// --- What was done ---

document.addEventListener(DONE, ({ detail }) => {
  const hadFocus = getForm()?.contains(document.activeElement) || document.activeElement?.closest(".vh-toast");
  clear();
  announce(detail.text);
  const actions = detail.undo ? [{ label: "Undo", run: ({ currentTarget }) => undo(detail, currentTarget) }] : [];
  const toast = showDone(DONE, detail.text, actions);
  if (hadFocus) (toast.querySelector("button") ?? getPageBox())?.focus();
});

function undo({ undo: change, url }, source) {
  const filter = getForm()?.elements.filter.value ?? "";
  // A failure is shown by its event.
  window.htmx.ajax("POST", url, { source, swap: "none", values: { change, filter } })?.catch(() => {});
}

// The page may have been ticked as a whole before this script was loaded.
if (getPageBox()?.checked) for (const box of listBoxes()) box.checked = true;
selected = new Set([...loadOthers(), ...listBoxes().flatMap((box) => (box.checked ? box.value : []))]);
selectedFilter = getAllBox()?.checked ? getScope() : null;
restore();
