// Plays the recordings of a table: a row's waveform is made when its button is first pressed, and one row sounds at a
// time.
import { drawWaveforms } from "./waveform.js";

const nonce = document.querySelector("meta[name='csp-nonce']")?.content ?? "";

function makePlayer(button, place) {
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
  const button = event.target.closest("[data-play]");
  if (!button) return;
  const place = document.getElementById(button.dataset.wave);
  const audio = place.querySelector("audio") ?? makePlayer(button, place);
  if (audio.paused) audio.play().catch(() => show(button, false));
  else audio.pause();
});

// "play" does not bubble, but is seen on its way down.
document.addEventListener(
  "play",
  (event) => {
    for (const audio of document.querySelectorAll("audio")) if (audio !== event.target) audio.pause();
  },
  true,
);
