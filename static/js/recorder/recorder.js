// The recorder of the talent page and the studio page: connects the microphone, the take, the state and the view.
//
// A finished take is stored in the browser until the studio has confirmed it, and is offered again on the next visit.
import { translate } from "../translate.js";
import { checkSound, measureLevels } from "./checks.js";
import { listAdvice } from "./microphone-advice.js";
import { DISCONNECTED, MicrophoneError, NO_SAMPLES } from "./microphone-errors.js";
import { findUnsupportedReason, Microphone } from "./microphone.js";
import { RecorderState, Step } from "./state.js";
import { StudioWait } from "./studio-wait.js";
import { createTake, isSendable } from "./take.js";
import { deleteTake, loadTake, saveTake } from "./take-store.js";
import { Outcome, uploadTake } from "./upload.js";
import { RecorderView } from "./view.js";
import { convertToInt16 } from "./wav.js";

const CHECK_MS = 4000;
const TIMER_MS = 200;
const RECORDING = translate("Recording. Read the text aloud, then press Stop.");
const INTERRUPTED = translate("The recording was interrupted.");
const LISTEN = translate("Listen to what is there, or record again.");
const NOT_SENDABLE = translate("This recording cannot be sent. Record it again.");
const NOT_PROCESSED = translate("This browser could not make a file of the recording. Record it again.");
const NOT_PLAYABLE = translate("This browser cannot play the recording. Reload the page, or use another browser.");
const NOT_SENT = translate("The recording could not be sent. Send it again, or reload the page.");
const UNREACHABLE = translate("The studio cannot be reached. The recording is sent by itself when it answers again.");
const KEEP_OPEN = translate("Keep this page open.");
const IS_SAFE = translate("The recording is safe in this browser.");

class Recorder {
  constructor(root) {
    this.config = JSON.parse(document.getElementById(root.dataset.config).textContent);
    this.urls = { processor: root.dataset.processor, submit: root.dataset.submit };
    this.csrfToken = root.dataset.csrf;
    this.storeKey = root.dataset.key;
    this.take = null;
    this.currentCheck = null;
    this.view = new RecorderView(root, { onPlayFailure: () => this.view.showMessage(NOT_PLAYABLE, "bad") });
    this.state = new RecorderState((step) => this.view.showStep(step));
    this.wait = new StudioWait(() => this.state.is(Step.REVIEW) && this.sendTake());
    this.microphone = new Microphone({
      processorUrl: this.urls.processor,
      allowedRates: this.config.allowedRates,
      onLevel: (peak) => this.view.showLevel(peak),
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
    const storedTake = await loadTake(this.storeKey);
    if (storedTake) {
      this.reviewTake({ findings: [], ...storedTake }, true); // an earlier version stored takes without findings
      this.view.showMessage(translate("You made this recording here earlier. It has not been sent yet."));
      return;
    }
    const reason = findUnsupportedReason();
    if (reason) this.view.showError(reason);
    else this.view.showMessage(translate("First the microphone. It is only used while this page is open."));
    this.view.setSetupEnabled(!reason);
    this.state.moveTo(Step.SETUP);
  }

  // --- microphone ---

  async openMicrophone(deviceId) {
    this.currentCheck = null;
    this.state.moveTo(Step.SETUP);
    this.view.setSetupEnabled(false);
    this.view.showMessage(translate("Asking for the microphone …"));
    const error = await this.microphone.open(deviceId).catch((reason) => reason);
    this.view.setSetupEnabled(true);
    if (error) {
      this.handleFailedMicrophone(error);
      return;
    }
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
    if (this.state.is(Step.RECORDING)) this.finishRecording(INTERRUPTED);
    else if (this.state.is(Step.READY)) this.handleFailedMicrophone(new MicrophoneError(DISCONNECTED));
  }

  // Records a few seconds and reports how they sound. A take can start only after this: both read the same microphone.
  async checkMicrophone() {
    const check = {};
    this.currentCheck = check;
    this.view.setChecking(true);
    this.view.showMessage(translate("Say a sentence in your normal voice: the microphone is being checked …"));
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
    else if (this.advice.length) this.view.showMessage(translate("The microphone works. Before you record:"), "wait");
    else this.view.showMessage(translate("The microphone sounds good."), "good");
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
    this.state.moveTo(Step.RECORDING);
    this.showRecordingMessage(RECORDING);
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
    else this.showRecordingMessage(problem?.text ?? RECORDING);
  }

  // A message that stays the same is not shown again: a screen reader would read it again.
  showRecordingMessage(text) {
    if (text !== this.recordingMessage) this.view.showMessage(text, text === RECORDING ? "" : "bad");
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
      const isStored = isSendable(take) ? await saveTake(this.storeKey, take) : undefined;
      this.reviewTake(take, isStored);
    } catch {
      this.handleFailedMicrophone(new MicrophoneError(NOT_PROCESSED));
      return;
    }
    this.view.focus("play");
    if (message) this.view.showMessage(`${message} ${isSendable(this.take) ? LISTEN : NOT_SENDABLE}`, "wait");
  }

  reviewTake(take, isStored) {
    this.take = take;
    this.isStored = isStored;
    this.view.showTake(take, { isSendable: isSendable(take), isStored });
    if (!isSendable(take)) this.view.showMessage(NOT_SENDABLE, "bad");
    else if (take.findings.length) this.view.showMessage(translate("Listen to it. You may want to record it again:"), "wait");
    else this.view.showMessage(translate("That sounds good. Listen to all of it, then send it."), "good");
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
    this.view.showMessage(translate("Press Record when you are ready."));
    this.view.focus("record");
  }

  async discardTake() {
    this.wait.reset();
    this.view.stopPlayback();
    await deleteTake(this.storeKey);
    this.beginAgain(translate("The recording is deleted."));
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
    this.view.showMessage(translate("Sending …"));
    const showProgress = (share) => this.view.showProgress(share);
    try {
      await this.handleOutcome(await uploadTake(this.urls.submit, this.csrfToken, this.take, showProgress));
    } catch {
      if (this.state.is(Step.SENDING)) this.returnToReview(NOT_SENT, "bad");
    }
  }

  returnToReview(message, tone) {
    this.state.moveTo(Step.REVIEW);
    this.view.setListened(true);
    this.view.showMessage(message, tone);
  }

  async handleOutcome({ is, next, text }) {
    if (is === Outcome.UNREACHABLE) {
      this.returnToReview(`${UNREACHABLE} ${this.isStored ? IS_SAFE : KEEP_OPEN}`, "wait");
      this.wait.start();
    } else if (is === Outcome.FAILED) {
      this.returnToReview(text, "bad");
    } else {
      await deleteTake(this.storeKey);
      if (is === Outcome.ACCEPTED) this.leave(next);
      else this.beginAgain(text, "bad");
    }
  }

  leave(next) {
    this.state.moveTo(Step.SENT);
    this.view.showMessage(translate("It has arrived."), "good");
    this.microphone.close();
    location.assign(next);
  }
}

for (const root of document.querySelectorAll("[data-recorder]")) new Recorder(root).begin();
