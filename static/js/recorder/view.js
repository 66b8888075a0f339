// What the recorder shows. Elements are found by data-part; data-steps names the steps in which one is shown, also outside
// of the recorder.

import { LiveWave } from "./live-wave.js";
import { translate } from "../translate.js";
import { TakePlayer } from "./take-player.js";

const METER_RANGE_DB = 60;
const TOO_LOUD_DB = -1;
const AUDIBLE_DB = -30;

// Formats a duration like the server: "2 min 14 s".
export function formatDuration(seconds) {
  const whole = Math.floor(seconds);
  const values = { minutes: Math.floor(whole / 60), seconds: whole % 60 };
  return whole < 60 ? translate("{seconds} s", values) : translate("{minutes} min {seconds} s", values);
}

function replaceItems(list, texts) {
  list.replaceChildren(...texts.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
}

export class RecorderView {
  // `onPlayFailure()` is called when the browser cannot play the take.
  constructor(root, { onPlayFailure }) {
    this.root = root;
    this.parts = {};
    for (const part of root.querySelectorAll("[data-part]")) this.parts[part.dataset.part] = part;
    const { audio, play, position, clock, bars, played } = this.parts;
    const onEnd = () => this.setListened(true);
    this.wave = new LiveWave({ bars: this.parts.wave, loud: this.parts["wave-loud"], ahead: this.parts["wave-ahead"] });
    this.isSendable = true;
    this.player = new TakePlayer({ audio, play, position, clock, bars, played }, { onEnd, onFailure: onPlayFailure });
  }

  on(part, event, handler) {
    this.parts[part].addEventListener(event, handler);
  }

  reveal() {
    this.parts.body.hidden = this.parts.act.hidden = false;
  }

  focus(part) {
    this.parts[part].focus();
  }

  // For an element that was focused and is hidden or disabled now.
  focusIfLost(part) {
    if (document.activeElement === document.body) this.focus(part);
  }

  showStep(step) {
    for (const part of document.querySelectorAll("[data-steps]")) {
      part.hidden = !part.dataset.steps.split(" ").includes(step);
    }
    if (!this.isSendable) this.parts.send.hidden = true;
  }

  // `steps` are what the person can do now, in their order.
  showMessage(text, tone = "", steps = []) {
    this.parts.message.textContent = text;
    this.parts.message.dataset.tone = tone;
    replaceItems(this.parts.steps, steps);
  }

  // An error with words for the person: see microphone-errors.js.
  showError({ message, steps = [] }, tone = "bad") {
    this.showMessage(message, tone, steps);
  }

  showAdvice(texts) {
    replaceItems(this.parts.advice, texts);
  }

  showLevel(peak) {
    const decibels = peak > 0 ? Math.max(-METER_RANGE_DB, 20 * Math.log10(peak)) : -METER_RANGE_DB;
    this.parts.level.value = Math.round(METER_RANGE_DB + decibels);
    this.wave.add(peak);
    this.parts.level.dataset.tone = decibels > TOO_LOUD_DB ? "bad" : decibels > AUDIBLE_DB ? "good" : "";
  }

  showDevices(devices, chosenId) {
    this.parts.device.replaceChildren(...devices.map((one) => new Option(one.label || translate("Microphone"), one.deviceId)));
    this.parts.device.value = chosenId;
    this.parts.devices.hidden = devices.length < 2;
  }

  // What is recorded now is gone if the page ends.
  showNotKept() {
    this.parts["not-kept"].hidden = false;
  }

  clearWave() {
    this.wave.clear();
  }

  showRecordedTime(seconds) {
    this.parts.time.textContent = formatDuration(seconds);
  }

  showProgress(share) {
    this.parts.progress.value = share;
  }

  setSetupEnabled(isEnabled) {
    this.parts.allow.disabled = !isEnabled;
  }

  setChecking(isChecking) {
    this.parts.record.disabled = isChecking;
    this.parts.check.disabled = isChecking;
    this.parts.device.disabled = isChecking;
  }

  // `isStored` is true, false (this browser cannot store takes), or undefined (the take was not to be stored).
  showTake(take, { isSendable, isStored }) {
    this.player.load(take);
    this.parts.fingerprint.textContent = take.sha256;
    this.showFindings(take.findings);
    this.setListened(false);
    this.isSendable = isSendable;
    this.parts.stored.hidden = !isStored;
    this.parts["not-stored"].hidden = isStored !== false;
  }

  showFindings(findings) {
    replaceItems(
      this.parts.findings,
      findings.map(({ text }) => text),
    );
  }

  // A take can be sent after it was played to its end.
  setListened(hasListened) {
    this.parts.send.disabled = !hasListened;
    this.parts["listen-first"].hidden = hasListened;
  }

  startPlayback() {
    this.player.start();
  }

  stopPlayback() {
    this.player.pause();
  }
}
