// What pages with keys of their own have in common: no key works while someone types, and the dialog that lists the keys
// (`?` and the buttons with data-keys open it) turns them off.
import { useLocalStorage } from "./storage.js";

const TYPING = "input:not([type=checkbox], [type=file]), textarea, select, [contenteditable], dialog, audio";
const PRESSABLE = "button, a, summary, input, label";

export const isForPage = (event) =>
  !(event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.target.closest(TYPING)) &&
  !document.querySelector("dialog[open]");

// Whether the key presses what has the focus.
export const isPress = ({ key, target }) => (key === " " || key === "Enter") && Boolean(target.closest(PRESSABLE));

// `dialogId` also names the setting of this browser. htmx may replace the dialog and the buttons.
export function makeKeyList(dialogId) {
  const setting = `${dialogId}-off`;
  let isOff = useLocalStorage((storage) => storage.getItem(setting)) === "yes";

  function show() {
    const dialog = document.getElementById(dialogId);
    dialog.querySelector("[data-keys-on]").checked = !isOff;
    dialog.showModal();
  }

  function showButtons() {
    for (const button of document.querySelectorAll("[data-keys]")) button.hidden = false;
  }

  document.addEventListener("click", ({ target }) => target.closest("[data-keys]") && show());
  document.addEventListener("change", ({ target }) => {
    if (!target.matches("[data-keys-on]")) return;
    isOff = !target.checked;
    useLocalStorage((storage) => (isOff ? storage.setItem(setting, "yes") : storage.removeItem(setting)));
  });
  document.addEventListener("htmx:load", showButtons);
  showButtons();
  return { show, isOff: () => isOff };
}
