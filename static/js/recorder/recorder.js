// The recorder of the talent page and the studio page: connects the microphone, the take, the state and the view.
//
// The browser keeps what is recorded until the studio has received it (take-keeper.js), and the next visit offers it.
import { checkSound, measureLevels } from "./checks.js";
import { listAdvice } from "./microphone-advice.js";
import { DISCONNECTED, MicrophoneError, NO_SAMPLES } from "./microphone-errors.js";
import { rememberAllowed, wasAllowed } from "./microphone-memory.js";
import { findUnsupportedReason, Microphone } from "./microphone.js";
import * as texts from "./recorder-texts.js";
import { RecorderState, Step } from "./state.js";
import { StudioWait } from "./studio-wait.js";
import { createTake, isSendable } from "./take.js";
import { TakeKeeper } from "./take-keeper.js";
import { Outcome, uploadTake } from "./upload.js";
import { RecorderView } from "./view.js";
import { convertToInt16 } from "./wav.js";

const CHECK_MS = 4000;
const TIMER_MS = 200;

class Recorder {
  constructor(root) {
    this.config = JSON.parse(document.getElementById(root.dataset.config).textContent);
    this.urls = { processor: root.dataset.processor, submit: root.dataset.submit };
    this.csrfToken = root.dataset.csrf;
    this.take = null;
    this.currentCheck = null;
    this.view = new RecorderView(root, { onPlayFailure: () => this.view.showMessage(texts.NOT_PLAYABLE, "bad") });
    this.keeper = new TakeKeeper(root.dataset.key, this.config, () => this.view.showNotKept());
    this.state = new RecorderState((step) => this.view.showStep(step));
    this.wait = new StudioWait(() => this.state.is(Step.REVIEW) && this.sendTake());
    this.microphone = new Microphone({
      processorUrl: this.urls.processor,
      allowedRates: this.config.allowedRates,
      onLevel: (peak) => this.view.showLevel(peak),
      onSamples: (samples) => this.state.is(Step.RECORDING) && this.keeper.add(samples),
      onLost: () => this.handleLostMicrophone(),
      onUnanswered: (error) => this.view.showError(error, "wait"),
    });
    this.bindEvents();
  }

  bindEvents() {
    this.view.on("allow", "click", () => this.openMicrophone());
    this.view.on("device", "change", (event) => this.openMicrophone(event.target.value));
    this.view.on("check", "click", () => this.checkMicrophone());
    this.view.on("record", "click", () => this.startRecording());
    this.view.on("stop", "click", () => this.finishRecording());
    this.view.on("again", "click", () => this.prepareRetake());
    this.view.on("discard", "click", () => this.discardTake());
    this.view.on("send", "click", () => {
      this.wait.reset();
      this.sendTake();
    });
    window.addEventListener("online", () => this.wait.finish());
    window.addEventListener("beforeunload", (event) => this.warnBeforeLoss(event));
    window.addEventListener("pagehide", () => this.microphone.close());
    window.addEventListener("pageshow", (event) => event.persisted && this.handleLostMicrophone());
  }

  async begin() {
    this.view.reveal();
    const storedTake = await this.keeper.load();
    if (storedTake) this.offerStoredTake(storedTake);
    else this.beginSetup();
  }

  offerStoredTake(take) {
    this.reviewTake(take, true);
    if (!take.isPart) this.view.showMessage(texts.EARLIER_TAKE);
    else this.view.showMessage(`${texts.EARLIER_PART} ${isSendable(take) ? texts.LISTEN : texts.NOT_SENDABLE}`, "wait");
  }

  beginSetup() {
    const reason = findUnsupportedReason();
    if (reason) this.view.showError(reason);
    else this.view.showMessage(texts.FIRST_MICROPHONE);
    this.view.setSetupEnabled(!reason);
    this.state.moveTo(Step.SETUP);
    if (!reason && wasAllowed()) this.openMicrophone(undefined, texts.FIRST_MICROPHONE);
  }

  // --- microphone ---

  // With `quietMessage`, nobody has pressed a button: a failure shows this message.
  async openMicrophone(deviceId, quietMessage = "") {
    this.currentCheck = null;
    this.state.moveTo(Step.SETUP);
    this.view.setSetupEnabled(false);
    this.view.showMessage(texts.ASKING);
    const error = await this.microphone.open(deviceId).catch((reason) => reason);
    this.view.setSetupEnabled(true);
    if (error) {
      await this.handleFailedMicrophone(error);
      if (quietMessage) this.view.showMessage(quietMessage);
      return;
    }
    rememberAllowed();
    this.view.showDevices(await this.microphone.listDevices(), this.microphone.deviceId);
    this.advice = listAdvice(this.microphone.describe(), this.microphone.browser);
    this.view.showAdvice(this.advice);
    this.state.moveTo(Step.READY);
    this.checkMicrophone();
  }

  // The microphone is released, so that the next attempt begins from nothing. A take that was made before stays in reach.
  async handleFailedMicrophone(error) {
    this.microphone.close();
    this.currentCheck = null;
    this.state.moveTo(this.take ? Step.REVIEW : Step.SETUP);
    this.view.focusIfLost(this.take ? "again" : "allow");
    this.view.showError(await this.microphone.explain(error));
  }

  handleLostMicrophone() {
    if (this.state.is(Step.RECORDING)) this.finishRecording(texts.INTERRUPTED);
    else if (this.state.is(Step.READY)) this.handleFailedMicrophone(new MicrophoneError(DISCONNECTED));
  }

  // Records a few seconds and reports how they sound. A take can start only after this: both read the same microphone.
  async checkMicrophone() {
    const check = {};
    this.currentCheck = check;
    this.view.setChecking(true);
    this.view.showMessage(texts.CHECKING);
    try {
      await this.microphone.start();
      await new Promise((resolve) => setTimeout(resolve, CHECK_MS));
      const recording = this.currentCheck === check ? await this.microphone.stop() : null;
      if (this.currentCheck === check) this.showCheck(recording);
    } catch (error) {
      if (this.currentCheck === check) this.handleFailedMicrophone(error);
    }
  }

  showCheck({ samples, rate }) {
    this.currentCheck = null;
    this.view.setChecking(false);
    this.view.focusIfLost("record");
    const [worst] = checkSound(measureLevels(convertToInt16(samples), rate, this.config), this.config);
    if (!samples.length) this.view.showMessage(NO_SAMPLES, "bad");
    else if (worst) this.view.showMessage(worst.text, "wait");
    else if (this.advice.length) this.view.showMessage(texts.WORKS_WITH_ADVICE, "wait");
    else this.view.showMessage(texts.SOUNDS_GOOD, "good");
  }

  // --- take ---

  async startRecording() {
    this.view.setChecking(true);
    try {
      await this.microphone.start();
    } catch (error) {
      this.handleFailedMicrophone(error);
      return;
    } finally {
      this.view.setChecking(false);
    }
    if (!this.state.is(Step.READY)) return; // the microphone was lost meanwhile
    this.keeper.begin(this.microphone.rate, this.microphone.describe());
    this.state.moveTo(Step.RECORDING);
    this.showRecordingMessage(texts.RECORDING);
    this.view.clearWave();
    this.view.showRecordedTime(0);
    this.view.focus("stop");
    this.startedAt = performance.now();
    this.timer = setInterval(() => this.updateTimer(), TIMER_MS);
    this.wakeLock = navigator.wakeLock?.request("screen").catch(() => null);
  }

  updateTimer() {
    const seconds = (performance.now() - this.startedAt) / 1000;
    this.view.showRecordedTime(seconds);
    const problem = this.microphone.findProblem();
    if (problem?.isEnd) this.finishRecording(problem.text);
    else if (seconds >= this.config.limits.maxSeconds) this.finishRecording();
    else this.showRecordingMessage(problem?.text ?? texts.RECORDING);
  }

  // A message that stays the same is not shown again: a screen reader would read it again.
  showRecordingMessage(text) {
    if (text !== this.recordingMessage) this.view.showMessage(text, text === texts.RECORDING ? "" : "bad");
    this.recordingMessage = text;
  }

  async finishRecording(message = "") {
    if (!this.state.is(Step.RECORDING)) return;
    this.state.moveTo(Step.PROCESSING);
    this.recordingMessage = "";
    clearInterval(this.timer);
    this.wakeLock?.then((lock) => lock?.release());
    try {
      const recording = await this.microphone.stop();
      if (message) this.microphone.close(); // it was lost: “Record again” opens it again
      const take = await createTake(recording, this.config);
      this.reviewTake(take, await this.keeper.finish(take));
    } catch {
      this.handleFailedMicrophone(new MicrophoneError(texts.NOT_PROCESSED));
      return;
    }
    this.view.focus("play");
    if (message) this.view.showMessage(`${message} ${isSendable(this.take) ? texts.LISTEN : texts.NOT_SENDABLE}`, "wait");
    else if (isSendable(this.take)) this.view.startPlayback();
  }

  reviewTake(take, isStored) {
    this.take = take;
    this.isStored = isStored;
    this.view.showTake(take, { isSendable: isSendable(take), isStored });
    if (!isSendable(take)) this.view.showMessage(texts.NOT_SENDABLE, "bad");
    else if (take.findings.length) this.view.showMessage(texts.HAS_FINDINGS, "wait");
    else this.view.showMessage(texts.IS_GOOD, "good");
    this.state.moveTo(Step.REVIEW);
  }

  // The old take stays in the browser until a new take replaces it.
  async prepareRetake() {
    this.wait.reset();
    this.view.stopPlayback();
    if (!this.microphone.isOpen) {
      await this.openMicrophone();
      return;
    }
    this.state.moveTo(Step.READY);
    this.view.showMessage(texts.PRESS_RECORD);
    this.view.focus("record");
  }

  async discardTake() {
    this.wait.reset();
    this.view.stopPlayback();
    await this.keeper.delete();
    this.beginAgain(texts.DELETED);
  }

  // Without a take. A microphone that is not open waits for “Allow”, so that its messages do not replace this one.
  beginAgain(message, tone = "") {
    this.take = null;
    this.state.moveTo(this.microphone.isOpen ? Step.READY : Step.SETUP);
    this.view.showMessage(message, tone);
  }

  warnBeforeLoss(event) {
    const isUnsent = this.take && !this.state.is(Step.SENT) && this.isStored === false;
    if (this.state.is(Step.RECORDING) || isUnsent) event.preventDefault();
  }

  // --- upload ---

  async sendTake() {
    this.view.stopPlayback();
    this.state.moveTo(Step.SENDING);
    this.view.showProgress(0);
    this.view.showMessage(texts.SENDING);
    const showProgress = (share) => this.view.showProgress(share);
    try {
      await this.handleOutcome(await uploadTake(this.urls.submit, this.csrfToken, this.take, showProgress));
    } catch {
      if (this.state.is(Step.SENDING)) this.returnToReview(texts.NOT_SENT, "bad");
    }
  }

  returnToReview(message, tone) {
    this.state.moveTo(Step.REVIEW);
    this.view.setListened(true);
    this.view.showMessage(message, tone);
  }

  async handleOutcome({ is, next, text }) {
    if (is === Outcome.UNREACHABLE) {
      this.returnToReview(`${texts.UNREACHABLE} ${this.isStored ? texts.IS_SAFE : texts.KEEP_OPEN}`, "wait");
      this.wait.start();
    } else if (is === Outcome.FAILED) {
      this.returnToReview(text, "bad");
    } else {
      await this.keeper.delete();
      if (is === Outcome.ACCEPTED) this.leave(next);
      else this.beginAgain(text, "bad");
    }
  }

  leave(next) {
    this.state.moveTo(Step.SENT);
    this.view.showMessage(texts.ARRIVED, "good");
    this.microphone.close();
    location.assign(next);
  }
}

for (const root of document.querySelectorAll("[data-recorder]")) new Recorder(root).begin();
