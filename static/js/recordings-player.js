// Plays the recordings of the table: one sound at a time, from the place in the waveform that was clicked, at the speed
// that this browser remembers.
import { describeFailure } from "./player.js";
import { showToast } from "./toasts.js";
import { fillIn, findRow, getCell, getId } from "./recordings-rows.js";
import { useLocalStorage } from "./storage.js";

const SPEED_KEY = "playback-speed";
const SVG = "http://www.w3.org/2000/svg";

const audio = Object.assign(new Audio(), { hidden: true, preload: "none" });
audio.dataset.rows = "";
let playing = ""; // the id of the recording that the audio has
document.body.append(audio);

// --- Speed ---

let speed = Number(useLocalStorage((storage) => storage.getItem(SPEED_KEY))) || 1;

function setSpeed(value) {
  speed = value;
  useLocalStorage((storage) => storage.setItem(SPEED_KEY, String(value)));
  for (const one of document.querySelectorAll("audio")) one.playbackRate = speed;
}

function showSpeed() {
  for (const select of document.querySelectorAll("[data-speed]")) select.value = String(speed);
}

document.addEventListener("change", ({ target }) => {
  if (!target.matches("[data-speed]")) return;
  setSpeed(Number(target.value));
  showSpeed();
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

export const getPlayButton = (row) => row && getCell(row, "play").firstElementChild;
const findDetails = (id) => document.getElementById(`details-${id}`);
const findWaves = (id) => document.querySelectorAll(`#row-${id} > td > svg, #details-${id} .vh-wave`);

function showState() {
  for (const button of document.querySelectorAll(".row-table button[aria-pressed=true]")) button.setAttribute("aria-pressed", "false");
  if (audio.paused) return;
  for (const button of [getPlayButton(findRow(playing)), findDetails(playing)?.querySelector("[data-play-row]")])
    button?.setAttribute("aria-pressed", "true");
}

function drawMark() {
  const share = audio.duration ? audio.currentTime / audio.duration : 0;
  for (const wave of findWaves(playing)) drawIn(wave, share);
  const time = findDetails(playing)?.querySelector("[data-time]");
  if (time && audio.duration) time.textContent = `${audio.currentTime.toFixed(1)} s of ${audio.duration.toFixed(1)} s`;
  if (!audio.paused) requestAnimationFrame(drawMark);
}

// The played part is a copy of the path in an <svg> of its width: no style attribute, and the path stays one.
function drawIn(wave, share) {
  const { width, height } = wave.viewBox.baseVal;
  const x = (share * width).toFixed(2);
  const part = wave.querySelector("svg") ?? addPlayedPart(wave, height);
  part.setAttribute("width", x);
  part.setAttribute("viewBox", `0 0 ${Math.max(x, 0.01)} ${height}`);
  const mark = wave.querySelector("line");
  mark.setAttribute("x1", x);
  mark.setAttribute("x2", x);
}

function addPlayedPart(wave, height) {
  const part = document.createElementNS(SVG, "svg");
  part.setAttribute("height", height);
  part.setAttribute("preserveAspectRatio", "none");
  part.append(wave.querySelector("path").cloneNode());
  const mark = document.createElementNS(SVG, "line");
  mark.setAttribute("y1", 0);
  mark.setAttribute("y2", height);
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

function getRowId(element) {
  const row = element.closest("[id^=row-]");
  return row ? getId(row) : undefined;
}

const findId = (element) => getRowId(element) ?? element.closest(".details")?.id.slice("details-".length);

document.addEventListener("click", (event) => {
  const table = event.target.closest(".row-table");
  if (!table) return;
  const row = event.target.closest("[id^=row-]");
  const mark = event.target.closest("[data-at]");
  const wave = event.target.closest("[id^=row-] > td > svg, .vh-wave");
  const id = findId(event.target);
  const isPlay = event.target.closest("[data-play-row]") || (row && event.target === getPlayButton(row));
  if (isPlay) toggleRow(id);
  else if (mark) playRow(id, { at: Number(mark.dataset.at) });
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
// A speed that was chosen before this script was loaded.
const chosen = document.querySelector("[data-speed] option:checked");
if (chosen && !chosen.defaultSelected) setSpeed(Number(chosen.value));
showSpeed();
