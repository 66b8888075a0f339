// The recorder of the talent page and the studio page: connects the microphone, the take, the state and the view.
//
// A finished take is stored in the browser until the studio has confirmed it, and is offered again on the next visit.
import { checkSound, measureLevels } from "./checks.js";
import { findUnsupportedReason, Microphone } from "./microphone.js";
import { RecorderState, Step } from "./state.js";
import { createTake, isSendable } from "./take.js";
import { deleteTake, loadTake, saveTake } from "./take-store.js";
import { NetworkError, uploadTake } from "./upload.js";
import { RecorderView } from "./view.js";
import { convertToInt16 } from "./wav.js";

const CHECK_MS = 4000;
const TIMER_MS = 200;

class Recorder {
  constructor(root) {
    this.config = JSON.parse(document.getElementById(root.dataset.config).textContent);
    this.urls = { processor: root.dataset.processor, submit: root.dataset.submit };
    this.csrfToken = root.dataset.csrf;
    this.storeKey = root.dataset.key;
    this.take = null;
    this.view = new RecorderView(root);
    this.state = new RecorderState((step) => this.view.showStep(step));
    this.microphone = new Microphone({
      processorUrl: this.urls.processor,
      allowedRates: this.config.allowedRates,
      onLevel: (peak) => this.view.showLevel(peak),
      onLost: () => this.handleLostMicrophone(),
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
    this.view.on("send", "click", () => this.sendTake());
    this.view.on("audio", "ended", () => this.view.setListened(true));
    window.addEventListener("online", () => this.resumeUpload());
    window.addEventListener("beforeunload", (event) => this.warnBeforeLoss(event));
    window.addEventListener("pagehide", () => this.microphone.close());
  }

  async begin() {
    this.view.reveal();
    const storedTake = await loadTake(this.storeKey);
    if (storedTake) {
      this.reviewTake({ findings: [], ...storedTake }, true); // an earlier version stored takes without findings
      this.view.showMessage("You made this recording here earlier. It has not been sent yet.");
      return;
    }
    const reason = findUnsupportedReason();
    if (reason) this.view.showMessage(reason.message, "bad");
    else this.view.showMessage("First the microphone. It is only used while this page is open.");
    this.view.setSetupEnabled(!reason);
    this.state.moveTo(Step.SETUP);
  }

  // --- microphone ---

  async openMicrophone(deviceId) {
    this.view.setSetupEnabled(false);
    this.view.showMessage("Asking for the microphone …");
    try {
      await this.microphone.close();
      await this.microphone.open(deviceId);
    } catch (error) {
      this.view.showMessage(error.message, "bad");
      this.state.moveTo(Step.SETUP);
      return;
    } finally {
      this.view.setSetupEnabled(true);
    }
    this.view.showDevices(await this.microphone.listDevices(), this.microphone.deviceId);
    this.state.moveTo(Step.READY);
    this.checkMicrophone();
  }

  // Records a few seconds and reports how they sound. A take can start only after this: both read the same microphone.
  async checkMicrophone() {
    if (this.isChecking) return;
    this.setChecking(true);
    this.view.showMessage("Say a sentence in your normal voice: the microphone is being checked …");
    try {
      await this.microphone.start();
      await new Promise((resolve) => setTimeout(resolve, CHECK_MS));
    } finally {
      this.setChecking(false);
    }
    if (!this.state.is(Step.READY)) return;
    if (document.activeElement === document.body) this.view.focus("record");
    const pcm = convertToInt16(await this.microphone.stop());
    const [worst] = checkSound(measureLevels(pcm, this.microphone.rate, this.config), this.config);
    if (!this.state.is(Step.READY)) return;
    if (worst) this.view.showMessage(worst.text, "wait");
    else this.view.showMessage("The microphone sounds good.", "good");
  }

  setChecking(isChecking) {
    this.isChecking = isChecking;
    this.view.setChecking(isChecking);
  }

  handleLostMicrophone() {
    if (this.state.is(Step.RECORDING)) {
      this.finishRecording("The recording was interrupted. Listen to what is there, or record again.");
    } else if (this.state.is(Step.READY)) {
      this.view.showMessage("The microphone was disconnected. Connect it and allow it again.", "bad");
      this.state.moveTo(Step.SETUP);
    }
  }

  // --- take ---

  async startRecording() {
    try {
      await this.microphone.start();
    } catch {
      this.handleLostMicrophone();
      return;
    }
    this.state.moveTo(Step.RECORDING);
    this.view.showMessage("Recording. Read the text aloud, then press Stop.");
    this.view.focus("stop");
    this.startedAt = performance.now();
    this.timer = setInterval(() => this.updateTimer(), TIMER_MS);
    this.wakeLock = await navigator.wakeLock?.request("screen").catch(() => null);
  }

  updateTimer() {
    const seconds = (performance.now() - this.startedAt) / 1000;
    this.view.showRecordedTime(seconds);
    if (seconds >= this.config.limits.maxSeconds) this.finishRecording();
  }

  async finishRecording(message = "") {
    if (!this.state.is(Step.RECORDING)) return;
    this.state.moveTo(Step.PROCESSING);
    clearInterval(this.timer);
    this.wakeLock?.release().catch(() => null);
    const samples = await this.microphone.stop();
    const take = await createTake(samples, this.microphone.rate, this.microphone.describe(), this.config);
    const isStored = isSendable(take) ? await saveTake(this.storeKey, take) : undefined;
    this.reviewTake(take, isStored);
    this.view.focus("audio");
    if (message) this.view.showMessage(message, "wait");
  }

  reviewTake(take, isStored) {
    this.take = take;
    this.isStored = isStored;
    this.view.showTake(take, { isSendable: isSendable(take), isStored });
    if (!isSendable(take)) this.view.showMessage("This recording cannot be sent. Record it again.", "bad");
    else if (take.findings.length) this.view.showMessage("Listen to it. You may want to record it again:", "wait");
    else this.view.showMessage("That sounds good. Listen to all of it, then send it.", "good");
    this.state.moveTo(Step.REVIEW);
  }

  // The old take stays in the browser until a new take replaces it.
  async prepareRetake() {
    this.view.stopPlayback();
    if (!this.microphone.isOpen) {
      await this.openMicrophone();
      return;
    }
    this.state.moveTo(Step.READY);
    this.view.showMessage("Press Record when you are ready.");
    this.view.focus("record");
  }

  async discardTake() {
    await deleteTake(this.storeKey);
    this.take = null;
    await this.prepareRetake();
    this.view.showMessage("The recording is deleted.");
  }

  warnBeforeLoss(event) {
    const isUnsent = this.take && !this.state.is(Step.SENT) && this.isStored === false;
    if (this.state.is(Step.RECORDING) || isUnsent) event.preventDefault();
  }

  // --- upload ---

  async sendTake() {
    this.isWaitingForNetwork = false;
    this.state.moveTo(Step.SENDING);
    this.view.showProgress(0);
    this.view.showMessage("Sending …");
    const showProgress = (share) => this.view.showProgress(share);
    try {
      await this.handleResponse(await uploadTake(this.urls.submit, this.csrfToken, this.take, showProgress));
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      this.isWaitingForNetwork = true;
      const message = "There is no connection. The recording is safe here and is sent when the connection is back.";
      this.returnToReview(message, "wait");
    }
  }

  resumeUpload() {
    if (this.isWaitingForNetwork && this.state.is(Step.REVIEW)) this.sendTake();
  }

  returnToReview(message, tone) {
    this.state.moveTo(Step.REVIEW);
    this.view.setListened(true);
    this.view.showMessage(message, tone);
  }

  async handleResponse({ status, body }) {
    if (status === 200 && body.sha256 === this.take.sha256) {
      await deleteTake(this.storeKey);
      await this.handleReceivedTake(body);
    } else if (status === 200) {
      this.returnToReview("The file was damaged on the way. Send it again.", "bad");
    } else if (status === 404) {
      const message = "This link no longer works. Ask the studio for a new one; the recording stays here for a day.";
      this.returnToReview(message, "bad");
    } else {
      this.returnToReview(body.problem || "The studio could not receive it. Send it again in a minute.", "bad");
    }
  }

  // The server has the take. If it names no next page, it refused the take, and `problem` says why.
  async handleReceivedTake(body) {
    if (body.next) {
      this.state.moveTo(Step.SENT);
      this.view.showMessage("It has arrived.", "good");
      await this.microphone.close();
      location.assign(body.next);
      return;
    }
    this.take = null;
    await this.prepareRetake();
    this.view.showMessage(body.problem, "bad");
  }
}

for (const root of document.querySelectorAll("[data-recorder]")) new Recorder(root).begin();
