// Plays what stands in a [data-sound], one sound at a time. Either an <audio> is in there already, or a [data-play]
// button makes one with its waveform when it is first needed. A [data-at] button plays from its place, in seconds.
import { drawWaveforms } from "./waveform.js";

const nonce = document.querySelector("meta[name='csp-nonce']")?.content ?? "";

function makePlayer(button) {
  const place = document.getElementById(button.dataset.wave);
  const player = document.createElement("div");
  player.className = "player";
  Object.assign(player.dataset, { waveform: "", peaks: button.dataset.peaks, nonce });
  const drawing = Object.assign(document.createElement("div"), { className: "waveform" });
  const audio = new Audio(button.dataset.play);
  audio.addEventListener("play", () => show(button, true));
  audio.addEventListener("pause", () => show(button, false));
  audio.addEventListener("error", () => fail(button, place));
  player.append(drawing, audio);
  place.append(player);
  place.hidden = false;
  drawWaveforms(place);
  return audio;
}

function show(button, playing) {
  button.setAttribute("aria-pressed", String(playing));
  button.classList.toggle("playing", playing);
}

function fail(button, place) {
  place.textContent = "It cannot be played at the moment. Reload the page and try again.";
  show(button, false);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-play], [data-at]");
  if (!button) return;
  const sound = button.closest("[data-sound]");
  const audio = sound.querySelector("audio") ?? makePlayer(sound.querySelector("[data-play]"));
  if ("at" in button.dataset) audio.currentTime = Number(button.dataset.at);
  // A refusal to play shows itself: the button stays as it is.
  if (audio.paused) audio.play().catch(() => {});
  else if (!("at" in button.dataset)) audio.pause();
});

// "play" does not bubble, but is seen on its way down.
document.addEventListener(
  "play",
  (event) => {
    for (const audio of document.querySelectorAll("audio")) if (audio !== event.target) audio.pause();
  },
  true,
);
