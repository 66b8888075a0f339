// Draws [data-waveform] from peaks that the server computed; the <audio> inside it plays, with or without this.
//
//   <div data-waveform data-peaks="address of {seconds, peaks}" data-nonce="…">
//     <div class="waveform"></div> <audio controls src="…"></audio>
//   </div>
//
// `drawWaveforms(root)` does it for what came into the page later.
import WaveSurfer from "../vendor/wavesurfer/wavesurfer.esm.js";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colours = () => ({
  waveColor: colour("--wave"),
  progressColor: colour("--wave-played"),
  cursorColor: colour("--wave-played"),
});

async function draw(element) {
  element.dataset.drawn = "yes";
  const answer = await fetch(element.dataset.peaks, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const { seconds, peaks } = await answer.json();
  const wave = WaveSurfer.create({
    ...colours(),
    container: element.querySelector(".waveform"),
    media: element.querySelector("audio"),
    cspNonce: element.dataset.nonce,
    height: 72,
    normalize: false,
    barWidth: 2,
    barGap: 1,
    barRadius: 2,
    peaks,
    duration: seconds,
  });
  new MutationObserver(() => wave.setOptions(colours())).observe(document.documentElement, {
    attributeFilter: ["data-bs-theme"],
  });
}

export function drawWaveforms(root) {
  for (const element of root.querySelectorAll("[data-waveform]:not([data-drawn])")) {
    draw(element).catch((problem) => console.warn("No waveform:", problem));
  }
}

drawWaveforms(document);
document.addEventListener("htmx:load", (event) => drawWaveforms(event.target));
