// Plays a take with the page's own controls: those of WebKit do not answer to keys, and show no length before playing.

import { translate } from "../translate.js";
import { drawBars } from "./take-bars.js";

const formatClock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

export class TakePlayer {
  // `parts` are the elements {audio, play, position, clock, bars, played} of templates/consent/_take_player.html.
  // `onEnd()`: it was played to its end. `onFailure()`: it cannot be played.
  constructor(parts, { onEnd, onFailure }) {
    Object.assign(this, parts, { onFailure, seconds: 0 });
    this.play.addEventListener("click", () => this.toggle());
    this.position.addEventListener("input", () => (this.audio.currentTime = Number(this.position.value)));
    for (const name of ["play", "pause", "ended", "timeupdate", "seeked"]) {
      this.audio.addEventListener(name, () => this.showState());
    }
    this.audio.addEventListener("ended", onEnd);
    this.audio.addEventListener("error", () => this.audio.getAttribute("src") && onFailure());
  }

  load(take) {
    if (this.url) URL.revokeObjectURL(this.url);
    for (const path of [this.bars, this.played]) path.setAttribute("d", drawBars(take.wav));
    this.url = URL.createObjectURL(new Blob([take.wav], { type: "audio/wav" }));
    this.open(this.url, take.seconds);
  }

  open(url, seconds) {
    this.audio.src = url;
    this.seconds = seconds;
    this.position.max = String(seconds);
    this.showState();
  }

  toggle() {
    if (this.audio.paused) this.audio.play().catch((error) => error.name !== "AbortError" && this.onFailure());
    else this.audio.pause();
  }

  // After a recording, by itself. A browser that wants a press first gets one.
  start() {
    this.audio.play().catch(() => null);
  }

  pause() {
    this.audio.pause();
  }

  showState() {
    const [position, length] = [formatClock(this.audio.currentTime), formatClock(this.seconds)];
    this.play.setAttribute("aria-label", this.audio.paused ? translate("Play") : translate("Pause"));
    this.play.toggleAttribute("data-playing", !this.audio.paused);
    const player = this.position.closest(".take-player");
    player.style.setProperty("--played", `${this.seconds ? (100 * this.audio.currentTime) / this.seconds : 0}%`);
    player.toggleAttribute("data-begun", this.audio.currentTime > 0);
    this.position.value = String(this.audio.currentTime);
    this.position.setAttribute("aria-valuetext", translate("{position} of {length}", { position, length }));
    this.clock.textContent = `${position} / ${length}`;
  }
}
