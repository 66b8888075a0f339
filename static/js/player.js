// Plays the sound of a [data-sound], one at a time. Either it contains an <audio> already, or its [data-play] button
// creates one with a waveform on the first click. A [data-at] button plays from the time in that attribute, in seconds.
import { removePlayer } from "./audio-controls.js";
import { drawWaveforms } from "./waveform.js";

const nonce = document.querySelector("meta[name='csp-nonce']")?.content ?? "";

function createPlayer(button) {
  const container = document.getElementById(button.dataset.wave);
  const player = document.createElement("div");
  player.className = "player";
  Object.assign(player.dataset, { waveform: "", peaks: button.dataset.peaks, nonce });
  const drawing = Object.assign(document.createElement("div"), { className: "waveform" });
  const audio = new Audio(button.dataset.play);
  audio.addEventListener("play", () => showPlaying(button, true));
  audio.addEventListener("pause", () => showPlaying(button, false));
  audio.addEventListener("error", () => showFailure(button, container));
  player.append(drawing, audio);
  container.append(player);
  container.hidden = false;
  drawWaveforms(container);
  return audio;
}

function showPlaying(button, isPlaying) {
  button.setAttribute("aria-pressed", String(isPlaying));
  button.classList.toggle("playing", isPlaying);
}

async function showFailure(button, container) {
  showPlaying(button, false);
  container.textContent = await describeFailure(button.dataset.play);
}

// What the server says about a sound that could not be loaded, for example that its file is missing.
export async function describeFailure(url) {
  try {
    const response = await fetch(url, { headers: { Accept: "application/json" }, redirect: "manual" });
    if ([401, 404, 503, 507].includes(response.status)) return (await response.json()).problem;
  } catch {
    // Offline, or not our own answer.
  }
  return "The sound cannot be played at the moment. Reload the page and try again.";
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-play], [data-at]");
  if (!button) return;
  const sound = button.closest("[data-sound]");
  if (!sound) return; // the table of recordings has a player of its own
  const audio = sound.querySelector("audio") ?? createPlayer(sound.querySelector("[data-play]"));
  if ("at" in button.dataset) audio.currentTime = Number(button.dataset.at);
  // If the browser refuses to play, the button does not change.
  if (audio.paused) audio.play().catch(() => {});
  else if (!("at" in button.dataset)) audio.pause();
});

// "play" does not bubble, so it is caught in the capture phase.
document.addEventListener(
  "play",
  (event) => {
    for (const audio of document.querySelectorAll("audio")) if (audio !== event.target) audio.pause();
  },
  true,
);

// Neither does "error". A note takes the place of an <audio> in the page whose sound cannot be loaded.
document.addEventListener(
  "error",
  async (event) => {
    if (!(event.target instanceof HTMLAudioElement) || "rows" in event.target.dataset) return;
    const note = Object.assign(document.createElement("p"), { className: "quiet", role: "alert" });
    note.textContent = await describeFailure(event.target.currentSrc || event.target.src);
    removePlayer(event.target);
    event.target.replaceWith(note);
  },
  true,
);
