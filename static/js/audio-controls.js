// Gives each <audio controls> of a page the same controls: a button, the position, the time. Without this script the
// controls of the browser stay. The page says what is loaded before the sound is played. With `data-seconds`, the length
// shows before, and with `data-wave`, one digit a bar, the waveform takes the place of the bar.
import { makeWave } from "./wave-path.js";

const PLAY = "M6 4v16l14-8z";
const PAUSE = "M6 4h4v16h-4zM14 4h4v16h-4z";

const formatClock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;
const findPlayer = (audio) => (audio.previousElementSibling?.matches(".vh-player") ? audio.previousElementSibling : null);

function makePlayer(audio) {
  const name = audio.getAttribute("aria-label") ?? "sound";
  const player = Object.assign(document.createElement("div"), { className: "vh-player" });
  const button = Object.assign(document.createElement("button"), { type: "button", className: "vh-play" });
  button.innerHTML = `<svg viewBox="0 0 24 24" width="16" height="16" aria-hidden="true"><path d="${PLAY}"/></svg>`;
  button.dataset.name = name;
  const position = Object.assign(document.createElement("input"), { type: "range", min: "0", step: "any", value: "0" });
  position.setAttribute("aria-label", `Position in ${name}`);
  const time = Object.assign(document.createElement("span"), { className: "time" });
  player.append(button, audio.dataset.wave ? wrapInWave(position, audio.dataset.wave) : position, time);
  button.addEventListener("click", () => (audio.paused ? audio.play().catch(() => {}) : audio.pause()));
  position.addEventListener("input", () => {
    audio.currentTime = Number(position.value);
    showState(audio); // before the sound is loaded, no event says that it will start there
  });
  return player;
}

function wrapInWave(position, digits) {
  const wave = Object.assign(document.createElement("span"), { className: "wave" });
  const played = makeWave(digits);
  played.classList.add("is-played");
  for (const drawing of [makeWave(digits), played]) {
    drawing.setAttribute("preserveAspectRatio", "none");
    drawing.setAttribute("aria-hidden", "true");
    wave.append(drawing);
  }
  wave.append(position);
  return wave;
}

function showState(audio) {
  const player = findPlayer(audio);
  if (!player) return;
  const [button, position, time] = ["button", "input", ".time"].map((part) => player.querySelector(part));
  const seconds = Number.isFinite(audio.duration) ? audio.duration : Number(audio.dataset.seconds ?? 0);
  button.querySelector("path").setAttribute("d", audio.paused ? PLAY : PAUSE);
  button.setAttribute("aria-label", `${audio.paused ? "Play" : "Pause"} ${button.dataset.name}`);
  position.disabled = !seconds;
  position.max = String(seconds || 1);
  position.value = String(audio.currentTime);
  player.style.setProperty("--played", `${seconds ? (100 * audio.currentTime) / seconds : 0}%`);
  player.toggleAttribute("data-begun", audio.currentTime > 0);
  position.setAttribute("aria-valuetext", `${formatClock(audio.currentTime)} of ${formatClock(seconds)}`);
  time.textContent = seconds ? `${formatClock(audio.currentTime)} / ${formatClock(seconds)}` : formatClock(audio.currentTime);
}

function replaceControls() {
  // Samples without names have a player of their own. htmx may keep an <audio> whose player was removed.
  for (const audio of document.querySelectorAll("audio[controls], audio[data-has-player]")) {
    if (audio.closest("[data-sample]") || findPlayer(audio)) continue;
    audio.before(makePlayer(audio));
    audio.dataset.hasPlayer = "";
    audio.controls = false;
    showState(audio);
  }
}

// These events do not bubble, so they are caught in the capture phase.
for (const name of ["play", "pause", "ended", "timeupdate", "durationchange", "seeked"]) {
  document.addEventListener(name, ({ target }) => target instanceof HTMLAudioElement && showState(target), true);
}

replaceControls();
document.addEventListener("htmx:load", replaceControls);

export function removePlayer(audio) {
  findPlayer(audio)?.remove();
}
