// Enables "Approve" when the whole take was played and at least its duration has passed since playback began.
// This only helps the reviewer. The server decides whether the approval is allowed.
const TOLERANCE_SECONDS = 0.5; // players report their progress in steps
const audio = document.querySelector("#review audio");
const approve = document.querySelector("#review [data-approve]");
const note = document.querySelector("#review [data-approve-note]");
const playedText = document.querySelector("#review [data-played]");
const play = document.querySelector("#review [data-play-take]");
let startedAt = 0; // when the first sound arrived from the server, in milliseconds

function setEnabled(isEnabled) {
  approve.disabled = !isEnabled;
  note.hidden = isEnabled;
  play?.classList.toggle("btn-primary", !isEnabled); // one button of the page says what is next
  if (isEnabled) approve.removeAttribute("aria-describedby");
  else approve.setAttribute("aria-describedby", note.id);
}

const formatClock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

function countPlayedSeconds({ played }) {
  let seconds = 0;
  for (let part = 0; part < played.length; part += 1) seconds += played.end(part) - played.start(part);
  return seconds;
}

function showHeard() {
  const seconds = Number.isFinite(audio.duration) ? audio.duration : Number(audio.dataset.seconds ?? 0);
  if (playedText && seconds) playedText.textContent = `: ${formatClock(countPlayedSeconds(audio))} of ${formatClock(seconds)} played`;
}

function checkPlayback() {
  showHeard();
  if (!startedAt || countPlayedSeconds(audio) < audio.duration - TOLERANCE_SECONDS) return;
  const remaining = startedAt + audio.duration * 1000 - Date.now();
  if (remaining > 0) setTimeout(checkPlayback, remaining);
  else setEnabled(true);
}

if (audio && play) {
  play.hidden = false;
  play.addEventListener("click", () => (audio.paused ? audio.play().catch(() => {}) : audio.pause()));
  audio.addEventListener("play", () => (play.textContent = "Pause"));
  for (const event of ["pause", "ended"]) audio.addEventListener(event, () => (play.textContent = "Play the recording"));
}
if (audio && approve) {
  showHeard();
  const secondsLeft = approve.dataset.secondsLeft; // set when playback began before this page was loaded
  setEnabled(secondsLeft === "0");
  if (secondsLeft) setTimeout(setEnabled, secondsLeft * 1000, true);
  audio.addEventListener("playing", () => (startedAt ||= Date.now()));
  if (audio.played.length) startedAt = Date.now(); // it was played before this script was loaded
  for (const event of ["timeupdate", "pause", "ended"]) audio.addEventListener(event, checkPlayback);
  checkPlayback();
}
