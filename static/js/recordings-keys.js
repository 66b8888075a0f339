// The keys of the table of recordings. None works while someone types, and the dialog that lists them turns them off.
import { findCurrent, getId, listRows, makeCurrent, openEditor, toggleDetails } from "./recordings-rows.js";
import { getPlayButton, toggleRow } from "./recordings-player.js";
import { useLocalStorage } from "./storage.js";

const OFF_KEY = "recordings-keys-off";
const TYPING = "input:not([type=checkbox], [type=file]), textarea, select, [contenteditable], dialog, audio";
const PRESSABLE = "button, a, summary, input, label";

let isOff = useLocalStorage((storage) => storage.getItem(OFF_KEY)) === "yes";

const getDialog = () => document.getElementById("recordings-keys");

function showKeys() {
  const dialog = getDialog();
  dialog.querySelector("[data-keys-on]").checked = !isOff;
  dialog.showModal();
}

function move(step) {
  const rows = listRows();
  const number = rows.indexOf(findCurrent());
  const next = rows[number < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, number + step))];
  if (next) makeCurrent(next, { focus: true });
}

function select(row, { shiftKey }) {
  const box = row.querySelector("input[name=recording]");
  box.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, shiftKey }));
}

const ROW_KEYS = {
  " ": (row) => getPlayButton(row) && toggleRow(getId(row)),
  Enter: (row) => toggleDetails(row),
  e: (row) => openEditor(row),
  x: select,
  b: (row) => row.querySelector("[role=switch]")?.click(),
};
const MOVES = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 };

function handleKey(event) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === "?") return showKeys();
  if (isOff) return false;
  const isInTable = Boolean(event.target.closest(".row-table tbody"));
  if (key in MOVES) return (isInTable || key.length === 1) && (move(MOVES[key]), true);
  const row = findCurrent();
  const isPress = key === " " || key === "Enter";
  if (!row || !(key in ROW_KEYS) || (isPress && event.target.closest(PRESSABLE))) return false;
  // Without the focus, the page scrolls with the space bar as everywhere.
  if (isPress && !isInTable) return false;
  ROW_KEYS[key](row, event);
  return true;
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || !listRows().length) return;
  if (event.target.closest(TYPING) || document.querySelector("dialog[open]")) return;
  if (handleKey(event) !== false) event.preventDefault();
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-keys]")) showKeys();
});

document.addEventListener("change", ({ target }) => {
  if (!target.matches("[data-keys-on]")) return;
  isOff = !target.checked;
  useLocalStorage((storage) => (isOff ? storage.setItem(OFF_KEY, "yes") : storage.removeItem(OFF_KEY)));
});

function showButton() {
  for (const button of document.querySelectorAll("[data-keys]")) button.hidden = false;
}

document.addEventListener("htmx:load", showButton);
showButton();
