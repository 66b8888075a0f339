// The keys of the table of recordings. None works while someone types, and the dialog that lists them turns them off.
import { isForPage, isPress, makeKeyList } from "./key-list.js";
import { findCurrent, getId, listRows, makeCurrent, openEditor, toggleDetails } from "./recordings-rows.js";
import { getPlayButton, toggleRow } from "./recordings-player.js";

const keyList = makeKeyList("recordings-keys");

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
  if (key === "?") return keyList.show();
  if (keyList.isOff()) return false;
  const isInTable = Boolean(event.target.closest(".row-table tbody"));
  if (key in MOVES) return (isInTable || key.length === 1) && (move(MOVES[key]), true);
  const row = findCurrent();
  if (!row || !(key in ROW_KEYS) || isPress(event)) return false;
  // Without the focus, the page scrolls with the space bar as everywhere.
  if ((key === " " || key === "Enter") && !isInTable) return false;
  ROW_KEYS[key](row, event);
  return true;
}

document.addEventListener("keydown", (event) => {
  if (!listRows().length || !isForPage(event)) return;
  if (handleKey(event) !== false) event.preventDefault();
});
