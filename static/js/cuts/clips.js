// The clips of a recording and the cuts between them, without a page. All positions are samples.
//
// A state is {clips: [{start, end, isLeftOut}], cuts: [at]}: the cut `cuts[i]` stands between the clips i and i + 1.
// Every function returns a new state, or null where nothing changes.

const LEAST_SPEECH = 0.3; // seconds of speech between two clips from which on they are shown as a clip that is left out
const LINE = /^\s*(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)\s+(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)\s*$/;

// `speech` are the spans of speech in seconds, `edge` is the silence kept around the speech of a clip in seconds.
export function makeSound({ rate, seconds, speech, edge = 0.2 }) {
  return {
    rate,
    length: Math.round(seconds * rate),
    speech: speech.map(([start, end]) => [Math.round(start * rate), Math.round(end * rate)]),
    edge: Math.round(edge * rate),
    step: Math.round(rate / 100),
  };
}

// --- Text: a line for each clip, as the server reads it ---

const readSeconds = (hours, minutes, seconds) => Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds);

function readLine(line, rate) {
  const match = LINE.exec(line);
  if (!match) return null;
  const start = Math.round(readSeconds(...match.slice(1, 4)) * rate);
  const end = Math.round(readSeconds(...match.slice(4, 7)) * rate);
  return { start, end, isLeftOut: false };
}

// The clips of the lines, or null if a line cannot be read, or if the clips are in no order that can be drawn.
export function readClips(text, sound) {
  const clips = text.split("\n").filter((line) => line.trim()).map((line) => readLine(line, sound.rate));
  if (!clips.length || clips.includes(null)) return null;
  const isOrdered = clips.every(({ start, end }, i) => start < end && end <= sound.length && (!i || clips[i - 1].end <= start));
  return isOrdered ? clips : null;
}

export const formatClips = (clips, rate) =>
  clips
    .filter((clip) => !clip.isLeftOut)
    .map(({ start, end }) => `${formatSeconds(start / rate)} ${formatSeconds(end / rate)}`)
    .join("\n");

function formatSeconds(seconds) {
  const [whole, part] = seconds.toFixed(6).split(".");
  return `${whole}.${part.replace(/0+$/, "").padEnd(2, "0")}`;
}

// --- The state ---

function measureSpeech(start, end, sound) {
  return sound.speech.reduce((sum, [from, to]) => sum + Math.max(0, Math.min(to, end) - Math.max(from, start)), 0);
}

// Speech that is in no clip becomes a clip that is left out, so that it can be seen, played and included.
export function makeState(clips, sound) {
  const all = [];
  let last = 0;
  for (const clip of [...clips, { start: sound.length, end: sound.length }]) {
    if (measureSpeech(last, clip.start, sound) >= LEAST_SPEECH * sound.rate) all.push(trim(last, clip.start, sound));
    if (clip.start < clip.end) all.push(clip);
    last = clip.end;
  }
  return { clips: all, cuts: all.slice(1).map((clip, i) => Math.floor((all[i].end + clip.start) / 2)) };
}

function trim(start, end, sound) {
  return { start: findStart(start, end, sound), end: findEnd(end, start, sound), isLeftOut: true };
}

// Where the clip before a cut ends: at the cut, or a little after its last speech. `start` is where the clip begins.
function findEnd(at, start, sound) {
  const last = sound.speech.findLast(([from]) => from < at);
  if (!last || last[1] <= start) return at;
  return Math.min(at, last[1] + sound.edge);
}

// Where the clip after a cut begins: at the cut, or a little before its first speech. `end` is where the clip ends.
function findStart(at, end, sound) {
  const first = sound.speech.find(([, to]) => to > at);
  if (!first || first[0] >= end) return at;
  return Math.max(at, first[0] - sound.edge);
}

const replace = (list, index, count, ...items) => list.toSpliced(index, count, ...items);

// Moves a cut, at most to the other ends of the two clips beside it.
export function moveCut({ clips, cuts }, index, at, sound) {
  const [before, after] = [clips[index], clips[index + 1]];
  const place = Math.max(before.start + sound.step, Math.min(after.end - sound.step, Math.round(at)));
  if (place === cuts[index] || before.start + sound.step > after.end - sound.step) return null;
  const moved = [
    { ...before, end: findEnd(place, before.start, sound) },
    { ...after, start: findStart(place, after.end, sound) },
  ];
  return { clips: replace(clips, index, 2, ...moved), cuts: replace(cuts, index, 1, place) };
}

// Adds a cut inside a clip. The new cut has the index of this clip.
export function addCut({ clips, cuts }, at, sound) {
  const place = Math.round(at);
  const index = findClip(clips, place);
  const clip = clips[index];
  if (!clip || place < clip.start + sound.step || place > clip.end - sound.step) return null;
  const parts = [
    { ...clip, end: findEnd(place, clip.start, sound) },
    { ...clip, start: findStart(place, clip.end, sound) },
  ];
  return { clips: replace(clips, index, 1, ...parts), cuts: replace(cuts, index, 0, place) };
}

export function removeCut({ clips, cuts }, index) {
  if (!(index in cuts)) return null;
  const [before, after] = [clips[index], clips[index + 1]];
  const joined = { start: before.start, end: after.end, isLeftOut: before.isLeftOut && after.isLeftOut };
  return { clips: replace(clips, index, 2, joined), cuts: replace(cuts, index, 1) };
}

export function switchClip({ clips, cuts }, index) {
  const clip = clips[index];
  return { clips: replace(clips, index, 1, { ...clip, isLeftOut: !clip.isLeftOut }), cuts };
}

// The index of the clip that contains a position, or -1.
export const findClip = (clips, at) => clips.findIndex(({ start, end }) => start <= at && at < end);

// The limits of a clip are those of the server, in seconds.
export function findProblem({ start, end, isLeftOut }, { shortest, longest }, rate) {
  if (isLeftOut) return "";
  const seconds = (end - start) / rate;
  if (seconds < shortest) return "short";
  return seconds > longest ? "long" : "";
}

// --- Undo ---

// The states of a page. Changes with one `key` in a row, such as the steps of one move, are undone together.
export class History {
  constructor(state) {
    this.states = [state];
    this.key = "";
  }

  get state() {
    return this.states.at(-1);
  }

  get canUndo() {
    return this.states.length > 1;
  }

  change(state, key = "") {
    if (key && key === this.key) this.states.pop();
    this.key = key;
    this.states.push(state);
  }

  endMove() {
    this.key = "";
  }

  undo() {
    if (this.canUndo) this.states.pop();
    this.key = "";
  }
}
