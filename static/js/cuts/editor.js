// The page where the cuts of a long recording are seen and moved. Its text field has the clips, a line each: the page
// starts from it, and every change is written to it, so that the form sends them as it does without scripts.
import { describeFailure } from "../player.js";
import { History, addCut, findClip, findProblem, formatClips, makeSound, makeState, moveCut, readClips, removeCut, switchClip } from "./clips.js";
import { ClipRows } from "./clip-rows.js";
import { formatLength, formatPosition } from "./times.js";
import { Wave } from "./wave.js";

const STEPS = { ArrowLeft: -1, ArrowRight: 1 };
const OTHERS = { ArrowUp: -1, ArrowDown: 1 };
const MANY_STEPS = 10; // with Shift: 100 ms

const root = document.getElementById("cuts");
const form = document.getElementById("cuts-form");
const text = document.getElementById("clips");
const audio = document.getElementById("cuts-audio");
const find = (name) => root.querySelector(`[data-cuts="${name}"]`);
const seconds = Number(root.dataset.seconds);
const limits = { shortest: Number(root.dataset.shortest), longest: Number(root.dataset.longest) };

async function loadSound() {
  const response = await fetch(root.dataset.sound, { headers: { Accept: "application/json" } });
  if (!response.ok) throw new Error(`${response.status} for ${root.dataset.sound}`);
  const { peaks, peaks_per_second: perSecond, speech } = await response.json();
  return { peaks: Uint8Array.from(atob(peaks), (letter) => letter.charCodeAt(0)), perSecond, speech };
}

class Editor {
  constructor(clips, sound, { peaks, perSecond }) {
    this.sound = sound;
    this.history = new History(makeState(clips, sound));
    this.selected = -1;
    this.clip = -1;
    this.stopAt = Infinity;
    root.hidden = false;
    this.wave = new Wave(
      { scroll: find("scroll"), sound: find("sound"), wave: find("wave"), overview: find("overview") },
      { peaks, perSecond, seconds, rate: sound.rate },
      {
        move: (index, time) => this.move(index, time * sound.rate),
        drop: () => this.history.endMove(),
        select: (index) => this.selectCut(index),
        seek: (time) => this.seek(time),
        add: (time) => this.add(time),
        key: (event, index) => this.handleKey(event, index),
      },
    );
    this.rows = new ClipRows(root, limits, sound.rate, {
      play: (index) => this.playClip(index),
      show: (index) => this.showClip(index),
      switch: (index) => this.change(switchClip(this.state, index)),
    });
    this.listen();
    this.show();
    find("total").textContent = `of ${formatPosition(seconds)}`;
    this.zoom(0);
  }

  get state() {
    return this.history.state;
  }

  listen() {
    const actions = {
      play: () => this.togglePlay(),
      add: () => this.add(audio.currentTime),
      earlier: () => this.step(this.selected, -1),
      later: () => this.step(this.selected, 1),
      remove: () => this.remove(this.selected),
      undo: () => this.undo(),
      "zoom-in": () => this.zoom(1),
      "zoom-out": () => this.zoom(-1),
    };
    for (const [name, act] of Object.entries(actions)) find(name).addEventListener("click", act);
    root.addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.shiftKey) return;
      event.preventDefault();
      this.undo();
    });
    for (const name of ["play", "pause", "ended"]) audio?.addEventListener(name, () => this.showPlaying());
    audio?.addEventListener("seeked", () => this.showPosition());
    audio?.addEventListener("error", async () => this.say(await describeFailure(audio.src)));
    form.addEventListener("submit", (event) => this.submit(event));
  }

  // --- Changes ---

  change(state, key = "", words = "") {
    if (!state) return false;
    this.history.change(state, key);
    this.show();
    if (words) this.say(words);
    return true;
  }

  move(index, at) {
    this.change(moveCut(this.state, index, at, this.sound), `move-${index}`);
  }

  step(index, count) {
    this.move(index, this.state.cuts[index] + count * this.sound.step);
  }

  add(time) {
    const state = addCut(this.state, time * this.sound.rate, this.sound);
    if (!state) return this.say("A cut can be added only inside a clip, and not at its very edge.");
    const index = findClip(this.state.clips, Math.round(time * this.sound.rate));
    this.change(state, "", `Cut ${index + 1} added at ${formatPosition(time)}. ${state.cuts.length} cuts.`);
    this.wave.focusCut(index);
  }

  remove(index) {
    const state = removeCut(this.state, index);
    if (!state) return;
    this.selected = Math.min(index, state.cuts.length - 1);
    this.clip = index;
    this.change(state, "", `Cut ${index + 1} removed. ${state.cuts.length} cuts.`);
    if (this.selected >= 0) this.wave.focusCut(this.selected);
    else find("add").focus();
  }

  undo() {
    if (!this.history.canUndo) return;
    this.history.undo();
    this.selected = Math.min(this.selected, this.state.cuts.length - 1);
    this.show();
    this.say(`Undone. ${this.state.cuts.length} cuts.`);
  }

  handleKey(event, index) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in STEPS) this.step(index, STEPS[event.key] * (event.shiftKey ? MANY_STEPS : 1));
    else if (event.key in OTHERS) this.focusOther(index + OTHERS[event.key]);
    else if (event.key === "Delete" || event.key === "Backspace") this.remove(index);
    else if (event.key === " ") this.togglePlay();
    else return;
    event.preventDefault();
  }

  focusOther(index) {
    if (index in this.state.cuts) this.wave.focusCut(index);
  }

  selectCut(index) {
    if (this.selected !== index) this.history.endMove();
    this.selected = index;
    this.clip = index;
    this.rows.showPageOf(index);
    this.show();
  }

  showClip(index) {
    const { start, end } = this.state.clips[index];
    this.clip = index;
    this.wave.showTime((start + end) / 2 / this.sound.rate);
    this.seek(start / this.sound.rate);
    this.show();
  }

  zoom(steps) {
    const time = this.state.cuts[this.selected] / this.sound.rate;
    const { canZoomIn, canZoomOut } = this.wave.setZoom(steps, this.wave.isInSight(time) ? time : undefined);
    find("zoom-in").disabled = !canZoomIn;
    find("zoom-out").disabled = !canZoomOut;
  }

  // --- Sound ---

  seek(time) {
    if (!audio) return;
    this.stopAt = Infinity;
    audio.currentTime = time;
    this.showPosition(time);
  }

  togglePlay() {
    this.stopAt = Infinity;
    if (audio?.paused) this.play();
    else audio?.pause();
  }

  playClip(index) {
    const { start, end } = this.state.clips[index];
    if (audio && !audio.paused && this.playing === index) return audio.pause();
    this.clip = index;
    this.playing = index;
    this.seek(start / this.sound.rate);
    this.stopAt = end / this.sound.rate;
    if (!this.wave.isInSight(start / this.sound.rate)) this.wave.showTime(start / this.sound.rate);
    this.show();
    this.play();
  }

  play() {
    audio?.play().catch(() => {}); // if the browser refuses to play, the button does not change
  }

  showPlaying() {
    const isPlaying = !audio.paused;
    if (!isPlaying || this.stopAt === Infinity) this.playing = isPlaying ? this.playing : -1;
    find("play").setAttribute("aria-pressed", String(isPlaying && this.stopAt === Infinity));
    this.rows.showPlaying(isPlaying && this.stopAt !== Infinity ? this.playing : -1);
    if (isPlaying) this.follow();
  }

  follow() {
    if (audio.paused) return;
    if (audio.currentTime >= this.stopAt) {
      audio.pause();
      audio.currentTime = this.stopAt;
    } else if (!this.wave.isInSight(audio.currentTime)) this.wave.showTime(audio.currentTime);
    this.showPosition();
    requestAnimationFrame(() => this.follow());
  }

  showPosition(time = audio.currentTime) {
    find("time").textContent = formatPosition(time);
    this.wave.show({ position: time });
  }

  // --- What the page shows ---

  show() {
    const { clips, cuts } = this.state;
    const problems = clips.map((clip) => findProblem(clip, limits, this.sound.rate));
    this.problems = problems;
    this.wave.show({ clips, cuts, problems, selected: this.selected, clip: this.clip });
    this.rows.show(clips, problems, this.clip);
    const kept = clips.filter((clip) => !clip.isLeftOut).length;
    text.value = formatClips(clips, this.sound.rate);
    for (const name of ["earlier", "later", "remove"]) find(name).disabled = this.selected < 0;
    find("undo").disabled = !this.history.canUndo;
    find("count").textContent = describeLengths(clips, this.sound.rate);
    this.showDecision(kept, problems.filter(Boolean).length);
  }

  showDecision(kept, wrong) {
    document.getElementById("cuts-split").textContent = `Split into ${kept} ${kept === 1 ? "clip" : "clips"}`;
    const note = form.querySelector("[data-cuts-note]");
    note.replaceChildren(wrong ? this.makeProblemNote(wrong) : "The original file is kept.");
  }

  makeProblemNote(wrong) {
    const note = document.createDocumentFragment();
    const words = wrong === 1 ? "1 clip is" : `${wrong} clips are`;
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-sm" });
    button.textContent = "Show the first";
    button.addEventListener("click", () => this.showProblem());
    note.append(`${words} too short or too long. `, button);
    return note;
  }

  showProblem() {
    const index = this.problems.findIndex(Boolean);
    this.showClip(index);
    this.rows.focusClip(index);
  }

  submit(event) {
    if (!this.problems.some(Boolean) && text.value) return;
    event.preventDefault();
    if (!text.value) return this.say("Every clip is left out. Include at least one.");
    this.showProblem();
    this.say("Nothing was split: a clip is too short or too long.");
  }

  say(words) {
    find("status").textContent = words;
  }
}

function describeLengths(clips, rate) {
  const kept = clips.filter((clip) => !clip.isLeftOut);
  const length = formatLength(kept.reduce((all, { start, end }) => all + end - start, 0) / rate);
  const out = clips.length - kept.length;
  return `${kept.length}, together ${length}${out ? `. ${out} left out` : ""}`;
}

async function start() {
  const loaded = await loadSound();
  const sound = makeSound({ rate: Number(root.dataset.rate), seconds, speech: loaded.speech });
  const clips = readClips(text.value, sound);
  if (!clips) return; // the text field stays, with the problems above it
  document.getElementById("cuts-text").hidden = true;
  new Editor(clips, sound, loaded);
}

// Without the editor, the text field does the same.
start().catch((error) => console.warn("Cannot show the cuts:", error));
