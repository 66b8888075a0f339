// Draws a long recording with its cuts. Only what is in sight is drawn: the waveform on one canvas, and the cuts as
// sliders that the pointer drags. A recording of hours with a thousand cuts costs no more than a short one.
import { formatPosition } from "./times.js";

const ZOOMS = [2, 4, 8, 16, 32, 64, 128, 256]; // pixels for a second
const START_ZOOM = 16;
const MARGIN = 40; // pixels beside the window within which cuts are in the page
const TICK_STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
const TICK_PIXELS = 90;
const AXIS_HEIGHT = 20;
const NAME_HEIGHT = 20;

const readColor = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Makes the canvas as large as its element on this screen, and returns what draws on it.
function prepareCanvas(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  return { context, width, height };
}

export class Wave {
  // `peaks` are bytes, `perSecond` of them for a second. `on` has what the page does: move, drop, select, seek, add, key.
  constructor({ scroll, sound, wave, overview }, { peaks, perSecond, seconds, rate }, on) {
    Object.assign(this, { scroll, inner: sound, canvas: wave, overview, peaks, perSecond, seconds, rate, on });
    this.handles = new Map();
    this.view = { clips: [], cuts: [], selected: -1, clip: -1, problems: [], position: 0 };
    this.zoom = ZOOMS.find((zoom) => zoom >= START_ZOOM && zoom * seconds >= scroll.clientWidth) ?? ZOOMS.at(-1);
    this.loudest = Math.max(1, peaks.reduce((most, peak) => Math.max(most, peak), 0));
    scroll.addEventListener("scroll", () => this.requestDraw());
    new ResizeObserver(() => this.requestDraw()).observe(scroll);
    new MutationObserver(() => this.requestDraw()).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
    this.inner.addEventListener("click", (event) => event.target.closest(".cuts-handle") || on.seek(this.findTime(event.clientX)));
    this.inner.addEventListener("dblclick", (event) => event.target.closest(".cuts-handle") || on.add(this.findTime(event.clientX)));
    overview.addEventListener("click", (event) => this.showTime(this.findOverviewTime(event.clientX)));
    this.setZoom(0);
  }

  findTime(x) {
    return Math.min(this.seconds, Math.max(0, (x - this.inner.getBoundingClientRect().left) / this.zoom));
  }

  findOverviewTime(x) {
    const { left, width } = this.overview.getBoundingClientRect();
    return ((x - left) / width) * this.seconds;
  }

  // --- Zoom and place ---

  // Zooms by so many steps. `time` stays where it is in the window; without it, the middle does.
  setZoom(steps, time = (this.scroll.scrollLeft + this.scroll.clientWidth / 2) / this.zoom) {
    const offset = time * this.zoom - this.scroll.scrollLeft;
    const index = Math.min(ZOOMS.length - 1, Math.max(0, ZOOMS.indexOf(this.zoom) + steps));
    this.zoom = ZOOMS[index];
    this.inner.style.width = `${Math.max(this.scroll.clientWidth, Math.ceil(this.seconds * this.zoom))}px`;
    this.scroll.scrollLeft = time * this.zoom - offset;
    this.requestDraw();
    return { canZoomIn: index < ZOOMS.length - 1, canZoomOut: index > 0 && this.seconds * this.zoom > this.scroll.clientWidth };
  }

  showTime(time) {
    this.scroll.scrollLeft = time * this.zoom - this.scroll.clientWidth / 2;
    this.requestDraw();
  }

  isInSight(time) {
    const x = time * this.zoom - this.scroll.scrollLeft;
    return x >= 0 && x <= this.scroll.clientWidth;
  }

  // --- Drawing ---

  show(view) {
    Object.assign(this.view, view);
    if (view.cuts) this.placeHandles(); // at once, as a screen reader says where a cut is after each key
    this.requestDraw();
  }

  requestDraw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.draw();
    });
  }

  draw() {
    this.colors = {};
    for (const name of ["page", "panel", "ink", "ink-2", "ink-3", "line", "line-control", "accent", "accent-tint", "bad", "bad-tint", "idle-tint"]) {
      this.colors[name] = readColor(`--${name}`);
    }
    this.font = `12px ${readColor("--font")}`;
    this.drawWave();
    this.drawOverview();
    this.placeHandles();
  }

  drawWave() {
    this.canvas.style.width = `${this.scroll.clientWidth}px`;
    const { context, width, height } = prepareCanvas(this.canvas);
    const left = this.scroll.scrollLeft;
    const body = { top: NAME_HEIGHT, height: height - NAME_HEIGHT - AXIS_HEIGHT };
    context.font = this.font;
    this.listVisible(left, width).forEach((part) => this.drawPart(context, part, left, body));
    this.drawPeaks(context, left, width, body);
    this.drawAxis(context, left, width, height);
    const x = this.view.position * this.zoom - left;
    context.fillStyle = this.colors.accent;
    context.fillRect(Math.round(x) - 1, NAME_HEIGHT, 2, body.height);
  }

  listVisible(left, width) {
    return this.view.clips
      .map((clip, index) => ({ ...clip, index, from: (clip.start / this.rate) * this.zoom, to: (clip.end / this.rate) * this.zoom }))
      .filter(({ from, to }) => to >= left && from <= left + width);
  }

  drawPart(context, { index, from, to, isLeftOut }, left, { top, height }) {
    const isChosen = index === this.view.clip;
    const problem = this.view.problems[index];
    if (!isLeftOut) {
      context.fillStyle = this.colors[problem ? "bad-tint" : isChosen ? "accent-tint" : "panel"];
      context.fillRect(from - left, top, to - from, height);
    }
    context.fillStyle = this.colors[problem ? "bad" : isChosen ? "accent" : "ink-2"];
    const name = String(index + 1);
    const x = Math.max(from - left, 0) + 12;
    if (to - left - x > context.measureText(name).width + 8) context.fillText(name, x, 14);
  }

  drawPeaks(context, left, width, { top, height }) {
    const middle = top + height / 2;
    const parts = this.listVisible(left - 4, width + 8);
    let next = 0;
    for (let x = -(left % 3); x < width; x += 3) { // the same bars wherever the window is
      const at = left + x;
      while (next < parts.length && parts[next].to <= at) next += 1;
      const part = parts[next];
      const isKept = part && part.from <= at && !part.isLeftOut;
      const tone = this.view.problems[part?.index] ? "bad" : part?.index === this.view.clip ? "accent" : "ink-3";
      context.fillStyle = this.colors[isKept ? tone : "line-control"];
      context.globalAlpha = isKept ? 1 : 0.4;
      const size = Math.max(1, (this.findPeak(at / this.zoom, (at + 3) / this.zoom) / this.loudest) * (height - 8));
      context.fillRect(x, middle - size / 2, 2, size);
    }
    context.globalAlpha = 1;
  }

  findPeak(from, to) {
    let most = 0;
    const end = Math.max(Math.floor(from * this.perSecond) + 1, Math.floor(to * this.perSecond));
    for (let i = Math.floor(from * this.perSecond); i < end && i < this.peaks.length; i += 1) most = Math.max(most, this.peaks[i]);
    return most;
  }

  drawAxis(context, left, width, height) {
    const step = TICK_STEPS.find((one) => one * this.zoom >= TICK_PIXELS) ?? TICK_STEPS.at(-1);
    for (let tick = Math.floor(left / this.zoom / step); tick * step * this.zoom <= left + width; tick += 1) {
      const x = Math.round(tick * step * this.zoom - left);
      context.fillStyle = this.colors["line-control"];
      context.fillRect(x, height - AXIS_HEIGHT, 1, 5);
      context.fillStyle = this.colors["ink-3"];
      if (tick * step < this.seconds) context.fillText(formatPosition(tick * step, step < 1 ? 1 : 0), x + 4, height - 5);
    }
  }

  // The peaks of the whole recording, for every second pixel: computed once for each width, as hours have a million.
  listOverviewPeaks(width) {
    if (this.overviewPeaks?.width !== width) {
      const scale = this.seconds / width;
      const peaks = Array.from({ length: Math.ceil(width / 2) }, (_, i) => this.findPeak(2 * i * scale, (2 * i + 2) * scale));
      this.overviewPeaks = { width, peaks };
    }
    return this.overviewPeaks.peaks;
  }

  drawOverview() {
    const { context, width, height } = prepareCanvas(this.overview);
    const scale = width / this.seconds;
    context.fillStyle = this.colors["accent-tint"];
    const from = (this.scroll.scrollLeft / this.zoom) * scale;
    context.fillRect(from, 0, Math.max(2, (this.scroll.clientWidth / this.zoom) * scale), height);
    context.fillStyle = this.colors["line-control"];
    this.listOverviewPeaks(width).forEach((peak, i) => {
      const size = Math.max(1, (peak / this.loudest) * height);
      context.fillRect(2 * i, (height - size) / 2, 1, size);
    });
    this.view.clips.forEach(({ start, end }, index) => {
      if (!this.view.problems[index]) return;
      context.fillStyle = this.colors.bad;
      context.fillRect((start / this.rate) * scale, height - 3, Math.max(2, ((end - start) / this.rate) * scale), 3);
    });
    context.fillStyle = this.colors.accent;
    context.fillRect(this.view.position * scale, 0, 2, height);
  }

  // --- The cuts ---

  placeHandles() {
    const left = this.scroll.scrollLeft - MARGIN;
    const right = this.scroll.scrollLeft + this.scroll.clientWidth + MARGIN;
    const wanted = new Set();
    this.view.cuts.forEach((at, index) => {
      const x = (at / this.rate) * this.zoom;
      if ((x >= left && x <= right) || index === this.view.selected) wanted.add(index);
    });
    for (const [index, handle] of this.handles) {
      if (wanted.has(index)) continue;
      handle.remove();
      this.handles.delete(index);
    }
    const stop = this.view.selected >= 0 ? this.view.selected : Math.min(...wanted);
    for (const index of wanted) this.placeHandle(index, index === stop);
  }

  placeHandle(index, isTabStop) {
    const handle = this.handles.get(index) ?? this.makeHandle(index);
    const seconds = this.view.cuts[index] / this.rate;
    handle.style.left = `${seconds * this.zoom}px`;
    handle.classList.toggle("is-selected", index === this.view.selected);
    handle.tabIndex = isTabStop ? 0 : -1;
    handle.setAttribute("aria-label", `Cut ${index + 1}`);
    handle.setAttribute("aria-valuemax", this.seconds.toFixed(2));
    handle.setAttribute("aria-valuenow", seconds.toFixed(2));
    handle.setAttribute("aria-valuetext", formatPosition(seconds));
  }

  makeHandle(index) {
    const handle = document.createElement("div");
    handle.className = "cuts-handle";
    handle.setAttribute("role", "slider");
    handle.setAttribute("aria-valuemin", "0");
    handle.addEventListener("focus", () => this.on.select(index));
    handle.addEventListener("keydown", (event) => this.on.key(event, index));
    handle.addEventListener("pointerdown", (event) => this.startDrag(event, handle, index));
    // In the order of the cuts, which is that of the Tab key and of screen readers.
    const next = [...this.handles].filter(([one]) => one > index).sort(([a], [b]) => a - b)[0];
    this.inner.insertBefore(handle, next ? next[1] : null);
    this.handles.set(index, handle);
    return handle;
  }

  focusCut(index) {
    const time = this.view.cuts[index] / this.rate;
    if (!this.isInSight(time)) this.showTime(time);
    this.view.selected = index;
    this.placeHandles();
    this.handles.get(index)?.focus({ preventScroll: true });
  }

  startDrag(event, handle, index) {
    if (event.button) return;
    event.preventDefault();
    handle.focus({ preventScroll: true });
    handle.setPointerCapture(event.pointerId);
    const offset = (this.view.cuts[index] / this.rate) - this.findTime(event.clientX);
    const move = ({ clientX }) => this.on.move(index, this.findTime(clientX) + offset);
    handle.addEventListener("pointermove", move);
    const end = () => {
      handle.removeEventListener("pointermove", move);
      this.on.drop();
    };
    handle.addEventListener("lostpointercapture", end, { once: true });
  }
}
