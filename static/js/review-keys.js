// The keys of the review of a consent: A approves, R asks for a retake, the space bar plays. None works while someone
// types, and the dialog that lists them turns them off. A presses the button, so it does no more than a click there: the
// button is disabled until the whole recording was played, and not there without the permission.
import { isForPage, isPress, makeKeyList } from "./key-list.js";

const review = document.getElementById("review");
const status = document.querySelector("#review [data-review-status]");
const audio = review?.querySelector("audio");
const keyList = makeKeyList("review-keys");

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

const KEYS = { a: approve, r: askAgain, " ": togglePlay };

document.addEventListener("keydown", (event) => {
  if (event.repeat || event.isComposing || !isForPage(event) || isPress(event)) return;
  if (event.key === "?") keyList.show();
  else if (keyList.isOff() || !KEYS[event.key.toLowerCase()]?.()) return;
  event.preventDefault();
});
