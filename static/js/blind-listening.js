// Blind listening: each sample gets one button and a waveform. Keys 1 to 4 play a sample from the place where another
// one is. Without this script, and for a sample that cannot be drawn, the player of the browser stays.
import WaveSurfer from "../vendor/wavesurfer/wavesurfer.esm.js";

const nonce = document.querySelector("meta[name='csp-nonce']")?.content ?? "";
const PLAY = "M6 4v16l14-8z";
const PAUSE = "M6 4h4v16h-4zM14 4h4v16h-4z";

const readColor = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const readColors = () => ({
  waveColor: readColor("--line-control"),
  progressColor: readColor("--accent"),
  cursorColor: readColor("--accent"),
});
const formatClock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

function makeButton(name) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "compare-play" });
  button.innerHTML = `<svg viewBox="0 0 24 24" width="18" height="18" aria-hidden="true"><path d="${PLAY}"/></svg>`;
  button.setAttribute("aria-label", `Play ${name}`);
  return button;
}

function drawSample(sample) {
  const audio = sample.querySelector("audio");
  const name = audio.getAttribute("aria-label").toLowerCase();
  const row = Object.assign(document.createElement("div"), { className: "compare-player", hidden: true });
  const button = makeButton(name);
  const drawing = Object.assign(document.createElement("div"), { className: "compare-wave" });
  const clock = Object.assign(document.createElement("span"), { className: "small quiet" });
  row.append(button, drawing, clock);
  audio.before(row);
  audio.preload = "metadata"; // the drawing waits for the duration
  const wave = WaveSurfer.create({
    ...readColors(), container: drawing, media: audio, cspNonce: nonce, height: 40, barWidth: 2, barGap: 1, barRadius: 2,
  });
  const showTime = () => (clock.textContent = `${formatClock(audio.currentTime)} / ${formatClock(wave.getDuration())}`);
  const showPlaying = () => {
    button.querySelector("path").setAttribute("d", audio.paused ? PLAY : PAUSE);
    button.setAttribute("aria-label", `${audio.paused ? "Play" : "Pause"} ${name}`);
    sample.classList.toggle("is-on", !audio.paused);
  };
  wave.on("ready", () => {
    row.hidden = false;
    audio.controls = false;
    showTime();
  });
  wave.on("error", () => row.remove());
  wave.on("timeupdate", showTime);
  audio.addEventListener("play", showPlaying);
  audio.addEventListener("pause", showPlaying);
  button.addEventListener("click", () => (audio.paused ? audio.play().catch(() => {}) : audio.pause()));
  new MutationObserver(() => wave.setOptions(readColors())).observe(document.documentElement, {
    attributeFilter: ["data-bs-theme"],
  });
}

function drawSamples() {
  for (const sample of document.querySelectorAll("[data-sample]:not([data-drawn])")) {
    sample.dataset.drawn = "yes";
    drawSample(sample);
  }
  for (const keys of document.querySelectorAll("[data-blind-keys]")) keys.hidden = false;
}

function playFromSamePlace(panel, number) {
  const players = [...panel.querySelectorAll("[data-sample] audio")];
  const next = players[number - 1];
  const current = players.find((audio) => !audio.paused);
  if (!next || next === current) return;
  if (current) next.currentTime = current.currentTime;
  current?.pause();
  next.play().catch(() => {});
}

// Only while the focus is inside the panel, so that the keys are free elsewhere.
document.addEventListener("keydown", (event) => {
  const panel = event.target.closest?.("#blind");
  if (!panel || event.ctrlKey || event.metaKey || event.altKey || !/^[1-4]$/.test(event.key)) return;
  playFromSamePlace(panel, Number(event.key));
});

drawSamples();
document.addEventListener("htmx:load", drawSamples);
