// Draws [data-waveform] from peaks that the server computed. The <audio> inside it plays without this script too.
//
//   <div data-waveform data-peaks="URL of {seconds, peaks}" data-nonce="…">
//     <div class="waveform"></div> <button data-zoom hidden>Zoom in</button> <audio controls src="…"></audio>
//   </div>
//
// A wide waveform loads finer peaks from the URL. So does the zoom button, which shows a few seconds at a time.
// Call `drawWaveforms(root)` for elements that are added to the page later. The library is loaded for the first one.

const readColor = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const readColors = () => ({
  waveColor: readColor("--line-control"),
  progressColor: readColor("--accent"),
  cursorColor: readColor("--accent"),
});

const FINE_FROM_PIXELS = 1000; // on a wider waveform the coarse peaks would be visible as steps
const ZOOM_PIXELS_PER_SECOND = 120;

async function fetchPeaks(element, isFine) {
  const url = isFine ? `${element.dataset.peaks}?fine` : element.dataset.peaks;
  const response = await fetch(url, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(`${response.status} for ${url}`);
  return response.json();
}

async function drawWaveform(element) {
  element.dataset.drawn = "yes";
  const isFine = element.clientWidth > FINE_FROM_PIXELS;
  const [{ default: WaveSurfer }, { seconds, peaks }] = await Promise.all([
    import("../vendor/wavesurfer/wavesurfer.esm.js"),
    fetchPeaks(element, isFine),
  ]);
  const wave = WaveSurfer.create({
    ...readColors(),
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
  new MutationObserver(() => wave.setOptions(readColors())).observe(document.documentElement, {
    attributeFilter: ["data-bs-theme"],
  });
  if (seconds * ZOOM_PIXELS_PER_SECOND > 1.5 * element.clientWidth) enableZoom(element, wave, isFine);
}

function enableZoom(element, wave, startsFine) {
  const button = element.querySelector("[data-zoom]");
  if (!button) return;
  let isFine = startsFine;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const isZoomed = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(isZoomed));
    if (!isFine) {
      const { seconds, peaks } = await fetchPeaks(element, true);
      wave.setOptions({ peaks, duration: seconds });
      isFine = true;
    }
    wave.zoom(isZoomed ? ZOOM_PIXELS_PER_SECOND : 0);
  });
}

// Firefox cancels what a page loads when it is left.
let isLeaving = false;
addEventListener("beforeunload", () => (isLeaving = true));

export function drawWaveforms(root) {
  for (const element of root.querySelectorAll("[data-waveform]:not([data-drawn])")) {
    drawWaveform(element).catch((error) => isLeaving || console.warn("Cannot draw the waveform:", error));
  }
}

drawWaveforms(document);
document.addEventListener("htmx:load", (event) => drawWaveforms(event.target));
