// Notices in a corner of the page. Each has a key: a new notice replaces an older one with the same key.

const list = document.getElementById("toasts");
const shown = new Map();
const DONE_TIME = 30_000; // ms; an action can be undone for longer, but its notice is no longer useful then

// `actions` are buttons ({label, run}). A notice stays until it is dismissed or its cause is gone.
export function showToast(key, text, actions = []) {
  if (!list) return;
  const returnFocus = document.activeElement;
  const close = () => dismiss(key, returnFocus);
  removeToast(key);
  const toast = Object.assign(document.createElement("div"), { className: "problem-toast" });
  toast.setAttribute("role", "alert");
  toast.append(Object.assign(document.createElement("p"), { textContent: text }), createButtons(actions, close));
  addToast(toast, key, close);
}

function addToast(toast, key, close) {
  toast.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
  });
  shown.set(key, toast);
  list?.append(toast);
}

export function removeToast(key) {
  shown.get(key)?.remove();
  shown.delete(key);
}

// The focus goes back to the control whose request failed, not to the start of the page.
function dismiss(key, returnFocus) {
  removeToast(key);
  if (returnFocus?.isConnected) returnFocus.focus();
}

// What was done, with its undo. It disappears after a while, unless the pointer or the focus is on it.
export function showDone(key, text, actions = []) {
  removeToast(key);
  const toast = Object.assign(document.createElement("div"), { className: "vh-toast is-still" });
  toast.append(Object.assign(document.createElement("span"), { textContent: text }));
  // The table is loaded again after an action, so its box is looked for only now.
  const close = () => dismiss(key, document.querySelector("[data-select-page]"));
  for (const { label, run } of [...actions, { label: "Dismiss", run: close }]) toast.append(createButton(label, run, ""));
  addToast(toast, key, close);
  removeLater(key, toast);
  return toast;
}

function removeLater(key, toast) {
  setTimeout(() => {
    if (shown.get(key) !== toast) return;
    if (toast.matches(":hover, :focus-within")) removeLater(key, toast);
    else removeToast(key);
  }, DONE_TIME);
}

function createButtons(actions, close) {
  const row = Object.assign(document.createElement("div"), { className: "problem-toast-actions" });
  for (const { label, run } of actions) row.append(createButton(label, run));
  row.append(createButton("Dismiss", close));
  return row;
}

function createButton(label, run, className = "btn btn-sm") {
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: label });
  button.className = className;
  button.addEventListener("click", run);
  return button;
}

// A quiet line instead of a notice, for what only keeps the page up to date.
export function showStaleNote(text) {
  const note = document.getElementById("stale-note");
  if (note && note.textContent !== text) note.textContent = text;
}
