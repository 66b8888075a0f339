// Draws the sound of a recording while it is made: bars from left to right, the too loud ones in their own color.

const BAR_COUNT = 60;
const BAR_STEP = 4; // units of the viewBox, which is 240 wide and 32 high
const MIDDLE = 16;
const TALLEST = 30;
const SHORTEST = 1.5;
const RANGE_DB = 36;
const TOO_LOUD_DB = -1;
const BLOCKS_PER_BAR = 3; // about an eighth of a second

const toDecibels = (peak) => (peak > 0 ? 20 * Math.log10(peak) : -Infinity);

// The height of a bar for a peak of 0..1.
export function computeHeight(peak) {
  const share = Math.min(1, Math.max(0, 1 + toDecibels(peak) / RANGE_DB));
  return Math.round((SHORTEST + share * (TALLEST - SHORTEST)) * 10) / 10;
}

function drawBar(index, height) {
  return `M${index * BAR_STEP + BAR_STEP / 2} ${MIDDLE - height / 2}v${height}`;
}

// The `d` of three paths for the peaks so far: {bars, loud, ahead}.
export function drawWave(peaks) {
  const draw = (isShown) => peaks.map((peak, i) => (isShown(peak) ? drawBar(i, computeHeight(peak)) : "")).join("");
  const isLoud = (peak) => toDecibels(peak) > TOO_LOUD_DB;
  const ahead = Array.from({ length: BAR_COUNT - peaks.length }, (_, i) => drawBar(peaks.length + i, SHORTEST));
  return { bars: draw((peak) => !isLoud(peak)), loud: draw(isLoud), ahead: ahead.join("") };
}

// The peaks with one more. A full picture moves on by one bar, or starts again for people who want no movement.
export function addBar(peaks, peak, isStill) {
  if (peaks.length < BAR_COUNT) return [...peaks, peak];
  return isStill ? [peak] : [...peaks.slice(1), peak];
}

export class LiveWave {
  // `parts` are the paths {bars, loud, ahead}.
  constructor(parts) {
    this.parts = parts;
    this.motion = window.matchMedia("(prefers-reduced-motion: reduce)");
    this.clear();
  }

  clear() {
    this.peaks = [];
    this.blocks = [];
    this.draw();
  }

  // The peak of the next block of samples.
  add(peak) {
    this.blocks.push(peak);
    if (this.blocks.length < BLOCKS_PER_BAR) return;
    this.peaks = addBar(this.peaks, Math.max(...this.blocks), this.motion.matches);
    this.blocks = [];
    this.draw();
  }

  draw() {
    for (const [name, d] of Object.entries(drawWave(this.peaks))) this.parts[name].setAttribute("d", d);
  }
}
