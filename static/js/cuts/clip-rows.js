// The table of the clips, a page of rows at a time.
import { formatPosition } from "./times.js";

const PAGE = 25;
const STATES = { short: "Too short", long: "Too long" };

export class ClipRows {
  // `on` has what the page does with a clip: play, show, switch.
  constructor(root, limits, rate, on) {
    Object.assign(this, { limits, rate, on, page: 0, playing: -1 });
    this.find = (name) => root.querySelector(`[data-cuts="${name}"]`);
    this.body = this.find("rows");
    this.template = document.getElementById("cuts-row");
    this.find("previous").addEventListener("click", () => this.turn(-1));
    this.find("next").addEventListener("click", () => this.turn(1));
  }

  show(clips, problems, chosen) {
    Object.assign(this, { clips, problems, chosen });
    this.page = Math.max(0, Math.min(this.page, Math.ceil(clips.length / PAGE) - 1));
    const first = this.page * PAGE;
    const shown = clips.slice(first, first + PAGE);
    while (this.body.rows.length > shown.length) this.body.lastElementChild.remove();
    while (this.body.rows.length < shown.length) this.body.append(this.makeRow(this.body.rows.length));
    shown.forEach((clip, i) => this.fillRow(this.body.rows[i], clip, first + i));
    this.find("pages").hidden = clips.length <= PAGE;
    this.find("page").textContent = `${first + 1} to ${first + shown.length} of ${clips.length}`;
    this.find("previous").disabled = !this.page;
    this.find("next").disabled = first + PAGE >= clips.length;
  }

  makeRow(place) {
    const row = this.template.content.firstElementChild.cloneNode(true);
    const index = () => this.page * PAGE + place;
    row.querySelector('[data-row="play"]').addEventListener("click", () => this.on.play(index()));
    row.querySelector('[data-row="name"]').addEventListener("click", () => this.on.show(index()));
    row.querySelector('[data-row="switch"]').addEventListener("click", () => this.on.switch(index()));
    return row;
  }

  fillRow(row, clip, index) {
    const cell = (name) => row.querySelector(`[data-row="${name}"]`);
    const name = `clip ${index + 1}`;
    const problem = this.problems[index];
    cell("play").setAttribute("aria-label", `Play ${name}`);
    cell("play").setAttribute("aria-pressed", String(index === this.playing));
    cell("name").textContent = String(index + 1);
    cell("name").setAttribute("aria-label", `Show ${name} in the waveform`);
    cell("start").textContent = formatPosition(clip.start / this.rate);
    cell("end").textContent = formatPosition(clip.end / this.rate);
    cell("length").textContent = `${((clip.end - clip.start) / this.rate).toFixed(2)} s`;
    cell("state").replaceChildren(...this.makeState(clip, problem));
    cell("switch").textContent = clip.isLeftOut ? "Include" : "Leave out";
    cell("switch").setAttribute("aria-label", `${clip.isLeftOut ? "Include" : "Leave out"} ${name}`);
    row.classList.toggle("is-current", index === this.chosen);
    row.classList.toggle("is-out", clip.isLeftOut);
  }

  makeState(clip, problem) {
    if (!problem && !clip.isLeftOut) return [];
    const state = Object.assign(document.createElement("span"), { className: `vh-status ${problem ? "is-bad" : "is-idle"}` });
    state.textContent = problem ? STATES[problem] : "Left out";
    if (!problem) return [state];
    const limit = problem === "short" ? `at least ${this.limits.shortest} s` : `at most ${this.limits.longest} s`;
    return [state, Object.assign(document.createElement("small"), { className: "quiet", textContent: limit })];
  }

  turn(steps) {
    this.page += steps;
    this.show(this.clips, this.problems, this.chosen);
  }

  showPageOf(index) {
    this.page = Math.floor(Math.max(0, index) / PAGE);
  }

  showPlaying(index) {
    this.playing = index;
    this.show(this.clips, this.problems, this.chosen);
  }

  focusClip(index) {
    this.showPageOf(index);
    this.show(this.clips, this.problems, this.chosen);
    this.body.rows[index - this.page * PAGE]?.querySelector('[data-row="name"]').focus();
  }
}
