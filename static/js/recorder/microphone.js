// The microphone: opened once, without the browser's own audio processing, and read through an AudioWorklet.
import { translate } from "../translate.js";
import { findBrowser } from "./browser-steps.js";
import { CaptureWatch } from "./capture-watch.js";
import {
  DISCONNECTED, explainError, makeUnanswered, MicrophoneError, NO_SOUND_OUTPUT, NoAnswerError, NOT_LOADED,
} from "./microphone-errors.js";
import { limitTime } from "./time-limit.js";

const AUDIO_CONSTRAINTS = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };
const FALLBACK_RATE_HZ = 48000;
const FLUSH_TIMEOUT_MS = 500;
const QUESTION_MS = 6000; // after this time, the page explains the browser's question
const ANSWER_LIMIT_MS = 45000;
const LOAD_LIMIT_MS = 15000;
const RESUME_LIMIT_MS = 10000; // a busy computer needs some seconds to start its audio
const LIST_LIMIT_MS = 2000;

const stopTracks = (stream) => stream.getTracks().forEach((track) => track.stop());

// The error that explains why this browser cannot record here, or null.
export function findUnsupportedReason() {
  if (!window.isSecureContext) {
    return new MicrophoneError(translate("A microphone only works over a secure address that begins with https."));
  }
  if (!navigator.mediaDevices?.getUserMedia || !window.AudioWorkletNode) {
    return new MicrophoneError(translate("This browser cannot record. Use a current one, or send a WAV file instead."));
  }
  return null;
}

async function readPermission() {
  try {
    return (await limitTime(navigator.permissions.query({ name: "microphone" }), 1000, () => new Error("late"))).state;
  } catch {
    return ""; // this browser does not say
  }
}

export class Microphone {
  // `onLevel(peak)` is called about twenty times a second with 0..1; `onSamples(samples)` with each block after `start`;
  // `onLost()` when the microphone stops; `onUnanswered(error)` when the browser's question waits for an answer.
  constructor({ processorUrl, allowedRates, onLevel, onSamples, onLost, onUnanswered }) {
    Object.assign(this, { processorUrl, allowedRates, onLevel, onSamples, onLost, onUnanswered });
    this.browser = findBrowser(navigator);
    this.blocks = null;
    this.resolveFlush = null;
  }

  // Rejects with a MicrophoneError, and then holds no device.
  async open(deviceId) {
    this.close();
    const reason = findUnsupportedReason();
    if (reason) throw reason;
    try {
      await this.openStream(deviceId);
      await this.connectProcessor();
    } catch (error) {
      this.close();
      throw await this.explain(error);
    }
  }

  // A MicrophoneError for whatever went wrong.
  async explain(error) {
    return error instanceof MicrophoneError ? error : explainError(error, this.browser, await readPermission());
  }

  async openStream(deviceId) {
    const audio = deviceId ? { ...AUDIO_CONSTRAINTS, deviceId: { exact: deviceId } } : AUDIO_CONSTRAINTS;
    const opening = navigator.mediaDevices.getUserMedia({ audio });
    const timer = setTimeout(() => this.explainQuestion(() => timer === this.questionTimer), QUESTION_MS);
    this.questionTimer = timer;
    try {
      this.stream = await limitTime(opening, ANSWER_LIMIT_MS, () => new NoAnswerError());
    } catch (error) {
      opening.then(stopTracks, () => null); // an answer after the limit must not leave the microphone on
      throw error;
    } finally {
      clearTimeout(timer);
      this.questionTimer = null;
    }
    this.track = this.stream.getAudioTracks()[0];
    const { track } = this;
    track.addEventListener("ended", () => track === this.track && this.onLost());
  }

  // A device can be slow although the person has allowed it.
  async explainQuestion(isWaiting) {
    const permission = await readPermission();
    if (isWaiting() && permission !== "granted") this.onUnanswered(makeUnanswered(this.browser));
  }

  async connectProcessor() {
    this.context = new AudioContext();
    if (!this.allowedRates.includes(this.context.sampleRate)) {
      this.closeContext();
      this.context = new AudioContext({ sampleRate: FALLBACK_RATE_HZ });
    }
    const { context } = this;
    const loading = context.audioWorklet.addModule(this.processorUrl);
    const makeError = () => new MicrophoneError(NOT_LOADED);
    await limitTime(loading, LOAD_LIMIT_MS, makeError).catch(() => Promise.reject(makeError()));
    this.node = new AudioWorkletNode(context, "sample-collector", { numberOfInputs: 1, channelCount: 1 });
    this.node.port.onmessage = ({ data }) => context === this.context && this.collectBlock(data);
    context.createMediaStreamSource(this.stream).connect(this.node);
    this.node.connect(context.destination); // its output is silent, but a node that is not connected does not run
    context.addEventListener("statechange", () => {
      // A phone call or a locked screen suspends the audio context without an error.
      if (context === this.context && this.blocks && context.state !== "running") this.onLost();
    });
    await this.resume();
  }

  // Without a sound output, some browsers never answer.
  async resume() {
    if (this.context.state === "running") return;
    await limitTime(this.context.resume(), RESUME_LIMIT_MS, () => new MicrophoneError(NO_SOUND_OUTPUT));
  }

  get isOpen() {
    return Boolean(this.context) && this.context.state !== "closed" && this.track.readyState === "live";
  }

  get rate() {
    return this.context.sampleRate;
  }

  get deviceId() {
    return this.track.getSettings().deviceId;
  }

  // What the browser reports about the microphone and its own audio processing. It is stored with the take.
  describe() {
    const { sampleRate, channelCount, echoCancellation, noiseSuppression, autoGainControl } = this.track.getSettings();
    const processing = { echoCancellation, noiseSuppression, autoGainControl };
    // Zero means that the browser does not know it.
    const counts = { sampleRate: sampleRate || undefined, channelCount: channelCount || undefined };
    return { label: this.track.label, contextRate: this.rate, ...counts, ...processing };
  }

  async listDevices() {
    const listing = navigator.mediaDevices.enumerateDevices();
    const devices = await limitTime(listing, LIST_LIMIT_MS, () => new NoAnswerError()).catch(() => []);
    return devices.filter((device) => device.kind === "audioinput");
  }

  collectBlock({ samples, isLast }) {
    let peak = 0;
    for (const value of samples) peak = Math.max(peak, Math.abs(value));
    this.onLevel(peak);
    if (this.blocks) {
      this.blocks.push(samples);
      this.watch.addBlock(samples, performance.now());
      this.onSamples(samples);
    }
    if (isLast) this.resolveFlush?.();
  }

  async start() {
    if (!this.isOpen) throw new MicrophoneError(DISCONNECTED);
    await this.resume();
    this.watch = new CaptureWatch(this.rate, performance.now());
    this.blocks = [];
  }

  // {code, text, isEnd} or null: what is wrong with the sound since `start`. Call it several times a second.
  findProblem() {
    return this.watch.findProblem(performance.now(), this.track.muted);
  }

  // All samples since `start`, with their rate, the description of the device, and the seconds that were lost.
  async stop() {
    await new Promise((resolve) => {
      this.resolveFlush = resolve;
      this.node.port.postMessage("flush");
      setTimeout(resolve, FLUSH_TIMEOUT_MS); // a suspended audio thread never answers: use what it has sent
    });
    const blocks = this.blocks || [];
    this.blocks = null;
    const samples = new Float32Array(blocks.reduce((total, block) => total + block.length, 0));
    let offset = 0;
    for (const block of blocks) {
      samples.set(block, offset);
      offset += block.length;
    }
    return { samples, rate: this.rate, device: this.describe(), lostSeconds: this.watch.lostSeconds };
  }

  // Frees the device. The description and the rate of the last microphone stay readable.
  close() {
    if (this.stream) stopTracks(this.stream);
    this.closeContext();
  }

  // Is not waited for: without a sound output, some browsers never answer.
  closeContext() {
    if (this.context && this.context.state !== "closed") this.context.close().catch(() => null);
  }
}
