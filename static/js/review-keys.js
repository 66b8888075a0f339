// The keys of the review of a consent: A approves, R asks for a retake, the space bar plays. None works while someone
// types, and the dialog that lists them turns them off. A presses the button, so it does no more than a click there: the
// button is disabled until the whole recording was played, and not there without the permission.
import { useLocalStorage } from "./storage.js";

const OFF_KEY = "review-keys-off";
const TYPING = "input:not([type=checkbox], [type=file]), textarea, select, [contenteditable], dialog, audio";
const PRESSABLE = "button, a, summary, input, label";

const review = document.getElementById("review");
const dialog = document.getElementById("review-keys");
const status = document.querySelector("#review [data-review-status]");
const audio = review?.querySelector("audio");
let isOff = useLocalStorage((storage) => storage.getItem(OFF_KEY)) === "yes";

function approve() {
  const button = review.querySelector("[data-approve]");
  if (!button) return false;
  if (button.disabled) say(review.querySelector("[data-approve-note]")?.textContent ?? "");
  else button.form.requestSubmit(button); // shows what is missing, such as the reason
  return true;
}

function askAgain() {
  const fold = review.querySelector(".vh-decide .reason-form");
  if (!fold) return false;
  fold.open = true;
  fold.querySelector("textarea").focus();
  return true;
}

function togglePlay() {
  if (!audio) return false;
  if (audio.paused) audio.play().catch(() => {});
  else audio.pause();
  return true;
}

// A screen reader hears why a key did nothing. The note itself is in sight.
function say(text) {
  status.textContent = "";
  setTimeout(() => (status.textContent = text.replace(/\s+/g, " ").trim()), 50);
}

function showKeys() {
  dialog.querySelector("[data-keys-on]").checked = !isOff;
  dialog.showModal();
  return true;
}

const KEYS = { a: approve, r: askAgain, " ": togglePlay };

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest(TYPING) || document.querySelector("dialog[open]")) return;
  if (event.key === " " && event.target.closest(PRESSABLE)) return;
  const act = event.key === "?" ? showKeys : isOff ? null : KEYS[event.key.toLowerCase()];
  if (act?.()) event.preventDefault();
});

dialog.querySelector("[data-keys-on]").addEventListener("change", ({ target }) => {
  isOff = !target.checked;
  useLocalStorage((storage) => (isOff ? storage.setItem(OFF_KEY, "yes") : storage.removeItem(OFF_KEY)));
});

const button = review.querySelector("[data-keys]");
button.hidden = false;
button.addEventListener("click", showKeys);
