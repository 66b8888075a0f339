// Draws [data-waveform] from peaks that the server computed; the <audio> inside it plays, with or without this.
//
//   <div data-waveform data-peaks="address of {seconds, peaks}" data-nonce="…">
//     <div class="waveform"></div> <button data-closer hidden>Closer</button> <audio controls src="…"></audio>
//   </div>
//
// A wide waveform asks that address for the finer outline, and so does the button, which shows a few seconds at a time.
// `drawWaveforms(root)` does it for what came into the page later.
import WaveSurfer from "../vendor/wavesurfer/wavesurfer.esm.js";

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const colours = () => ({
  waveColor: colour("--wave"),
  progressColor: colour("--wave-played"),
  cursorColor: colour("--wave-played"),
});

const WIDE = 1000; // pixels from which the coarse outline shows its steps
const CLOSER = 120; // pixels to a second

async function outline(element, fine) {
  const address = fine ? `${element.dataset.peaks}?fine` : element.dataset.peaks;
  const answer = await fetch(address, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${answer.status} for ${address}`);
  return answer.json();
}

async function draw(element) {
  element.dataset.drawn = "yes";
  const fine = element.clientWidth > WIDE;
  const { seconds, peaks } = await outline(element, fine);
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
  if (seconds * CLOSER > 1.5 * element.clientWidth) offerCloser(element, wave, fine);
}

function offerCloser(element, wave, isFine) {
  const button = element.querySelector("[data-closer]");
  if (!button) return;
  let fine = isFine;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const closer = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(closer));
    if (!fine) {
      const { seconds, peaks } = await outline(element, true);
      wave.setOptions({ peaks, duration: seconds });
      fine = true;
    }
    wave.zoom(closer ? CLOSER : 0);
  });
}

export function drawWaveforms(root) {
  for (const element of root.querySelectorAll("[data-waveform]:not([data-drawn])")) {
    draw(element).catch((problem) => console.warn("No waveform:", problem));
  }
}

drawWaveforms(document);
document.addEventListener("htmx:load", (event) => drawWaveforms(event.target));
