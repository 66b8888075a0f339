// Enables "Approve" when the whole take was played and at least its duration has passed since playback began.
// This only helps the reviewer. The server decides whether the approval is allowed.
const TOLERANCE_SECONDS = 0.5; // players report their progress in steps
const audio = document.querySelector("#review audio");
const approve = document.querySelector("#review [data-approve]");
const note = document.querySelector("#review [data-approve-note]");
let startedAt = 0; // when the first sound arrived from the server, in milliseconds

function setEnabled(isEnabled) {
  approve.disabled = !isEnabled;
  note.hidden = isEnabled;
  if (isEnabled) approve.removeAttribute("aria-describedby");
  else approve.setAttribute("aria-describedby", note.id);
}

function wasPlayedFully({ played, duration }) {
  let seconds = 0;
  for (let part = 0; part < played.length; part += 1) seconds += played.end(part) - played.start(part);
  return seconds >= duration - TOLERANCE_SECONDS;
}

function checkPlayback() {
  if (!startedAt || !wasPlayedFully(audio)) return;
  const remaining = startedAt + audio.duration * 1000 - Date.now();
  if (remaining > 0) setTimeout(checkPlayback, remaining);
  else setEnabled(true);
}

if (audio && approve) {
  const secondsLeft = approve.dataset.secondsLeft; // set when playback began before this page was loaded
  setEnabled(secondsLeft === "0");
  if (secondsLeft) setTimeout(setEnabled, secondsLeft * 1000, true);
  audio.addEventListener("playing", () => (startedAt ||= Date.now()));
  for (const event of ["timeupdate", "pause", "ended"]) audio.addEventListener(event, checkPlayback);
}
