// Draws a waveform that the page has as one digit a bar.
const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 9;

const makePath = (digits) => [...digits].map((size, bar) => `M${bar + 0.5} ${(HEIGHT - size) / 2}v${size}`).join("");

export function makeWave(digits) {
  const wave = document.createElementNS(SVG, "svg");
  wave.setAttribute("viewBox", `0 0 ${digits.length} ${HEIGHT}`);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", makePath(digits));
  wave.append(path);
  return wave;
}
