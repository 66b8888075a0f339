// Plays the recordings of the table: one sound at a time, from the place in the waveform that was clicked, at the speed
// that this browser remembers.
import { describeFailure } from "./player.js";
import { showToast } from "./toasts.js";
import { findRow, fillIn } from "./recordings-rows.js";

const SPEED_KEY = "playback-speed";
const HEIGHT = 24; // of the view box of a waveform
const SVG = "http://www.w3.org/2000/svg";

const audio = Object.assign(new Audio(), { hidden: true, preload: "none" });
audio.dataset.rows = "";
let playing = ""; // the id of the recording that the audio has
document.body.append(audio);

// --- Speed ---

function readSpeed() {
  try {
    return Number(localStorage.getItem(SPEED_KEY)) || 1;
  } catch {
    return 1; // this browser forbids storage
  }
}

let speed = readSpeed();

function setSpeed(value) {
  speed = value;
  try {
    localStorage.setItem(SPEED_KEY, String(value));
  } catch {
    // The speed stands until the page is left.
  }
  for (const one of document.querySelectorAll("audio")) one.playbackRate = speed;
}

function showSpeed() {
  const select = document.querySelector("[data-speed]");
  if (!select) return;
  select.closest("label").hidden = false;
  select.value = String(speed);
}

document.addEventListener("change", ({ target }) => {
  if (target.matches("[data-speed]")) setSpeed(Number(target.value));
});
document.addEventListener("play", ({ target }) => (target.playbackRate = speed), true);

// --- Play ---

export async function playRow(id, { share, at } = {}) {
  if (playing !== id) {
    stopMark();
    playing = id;
    audio.src = fillIn("audio", id);
  }
  if (share !== undefined || at !== undefined) await seek(share, at);
  audio.play().catch(() => {}); // if the browser refuses to play, the button does not change
}

async function seek(share, at) {
  if (!audio.duration) {
    audio.preload = "metadata";
    await new Promise((resolve) => {
      audio.addEventListener("loadedmetadata", resolve, { once: true });
      audio.addEventListener("error", resolve, { once: true });
      if (audio.networkState === HTMLMediaElement.NETWORK_EMPTY) audio.load();
    });
  }
  audio.currentTime = at ?? share * (audio.duration || 0);
}

export function toggleRow(id) {
  if (playing === id && !audio.paused) audio.pause();
  else playRow(id);
}

// --- What the rows show ---

const findWaves = (id) => document.querySelectorAll(`#row-${id} .vh-wave, #details-${id} .vh-wave`);

function showState() {
  for (const button of document.querySelectorAll(".row-play[aria-pressed=true]")) button.setAttribute("aria-pressed", "false");
  if (!audio.paused) findRow(playing)?.querySelector(".row-play")?.setAttribute("aria-pressed", "true");
}

function drawMark() {
  const share = audio.duration ? audio.currentTime / audio.duration : 0;
  for (const wave of findWaves(playing)) drawIn(wave, share);
  if (!audio.paused) requestAnimationFrame(drawMark);
}

// The played part is a copy of the path in an <svg> of its width: no style attribute, and the path stays one.
function drawIn(wave, share) {
  const width = wave.viewBox.baseVal.width;
  const x = (share * width).toFixed(2);
  const part = wave.querySelector("svg") ?? addPlayedPart(wave);
  part.setAttribute("width", x);
  part.setAttribute("viewBox", `0 0 ${Math.max(x, 0.01)} ${HEIGHT}`);
  const mark = wave.querySelector("line");
  mark.setAttribute("x1", x);
  mark.setAttribute("x2", x);
}

function addPlayedPart(wave) {
  const part = document.createElementNS(SVG, "svg");
  part.setAttribute("height", HEIGHT);
  part.append(wave.querySelector("path").cloneNode());
  const mark = document.createElementNS(SVG, "line");
  mark.setAttribute("y1", 0);
  mark.setAttribute("y2", HEIGHT);
  wave.append(part, mark);
  wave.classList.add("is-played");
  return part;
}

function stopMark() {
  for (const wave of findWaves(playing)) {
    wave.classList.remove("is-played");
    for (const one of wave.querySelectorAll("svg, line")) one.remove();
  }
}

audio.addEventListener("play", () => (showState(), drawMark()));
audio.addEventListener("pause", showState);
audio.addEventListener("ended", () => (showState(), stopMark()));
audio.addEventListener("seeked", () => audio.paused && drawMark());
audio.addEventListener("error", async () => {
  showState();
  showToast(`play-${playing}`, await describeFailure(audio.src));
});

// --- Clicks ---

const findId = (element) => element.closest("[data-recording]")?.dataset.recording ?? element.closest(".details")?.id.slice("details-".length);

document.addEventListener("click", (event) => {
  const table = event.target.closest(".row-table");
  if (!table) return;
  const button = event.target.closest(".row-play, [data-at]");
  const wave = event.target.closest(".vh-wave");
  const id = findId(event.target);
  if (button?.matches(".row-play")) toggleRow(id);
  else if (button) playRow(id, { at: Number(button.dataset.at) });
  else if (wave) playRow(id, { share: findShare(wave, event.clientX) });
});

function findShare(wave, x) {
  const { left, width } = wave.getBoundingClientRect();
  return Math.min(1, Math.max(0, (x - left) / width));
}

document.addEventListener("htmx:load", () => {
  showSpeed();
  showState();
  if (playing) drawMark();
});
showSpeed();
