// The microphone: opened once, without the browser's own audio processing, and read through an AudioWorklet.

const AUDIO_CONSTRAINTS = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };
const FALLBACK_RATE_HZ = 48000;
const FLUSH_TIMEOUT_MS = 500;

export class MicrophoneError extends Error {}

const ERROR_TEXTS = {
  NotAllowedError:
    "The microphone is blocked for this page. Allow it in the browser (the sign beside the address), then try again.",
  NotFoundError: "No microphone was found. Plug one in, or open the link on a phone, then try again.",
  NotReadableError: "Another program is using the microphone. Close calls and other recorders, then try again.",
};
const OTHER_ERROR = "The microphone could not be opened. Try again, or use another browser or device.";

// The error that explains why this browser cannot record here, or null.
export function findUnsupportedReason() {
  if (!window.isSecureContext) {
    return new MicrophoneError("A microphone only works over a secure address that begins with https.");
  }
  if (!navigator.mediaDevices?.getUserMedia || !window.AudioWorkletNode) {
    return new MicrophoneError("This browser cannot record. Use a current one, or send a WAV file instead.");
  }
  return null;
}

export class Microphone {
  // `onLevel(peak)` is called about twenty times a second with 0..1; `onLost()` when the microphone stops.
  constructor({ processorUrl, allowedRates, onLevel, onLost }) {
    this.processorUrl = processorUrl;
    this.allowedRates = allowedRates;
    this.onLevel = onLevel;
    this.onLost = onLost;
    this.blocks = null;
    this.resolveFlush = null;
  }

  async open(deviceId) {
    const reason = findUnsupportedReason();
    if (reason) throw reason;
    try {
      const audio = deviceId ? { ...AUDIO_CONSTRAINTS, deviceId: { exact: deviceId } } : AUDIO_CONSTRAINTS;
      this.stream = await navigator.mediaDevices.getUserMedia({ audio });
    } catch (error) {
      throw new MicrophoneError(ERROR_TEXTS[error.name] || OTHER_ERROR);
    }
    this.track = this.stream.getAudioTracks()[0];
    this.track.addEventListener("ended", () => this.onLost());
    await this.connectProcessor();
  }

  async connectProcessor() {
    this.context = new AudioContext();
    if (!this.allowedRates.includes(this.context.sampleRate)) {
      await this.context.close();
      this.context = new AudioContext({ sampleRate: FALLBACK_RATE_HZ });
    }
    await this.context.audioWorklet.addModule(this.processorUrl);
    this.node = new AudioWorkletNode(this.context, "sample-collector", { numberOfInputs: 1, channelCount: 1 });
    this.node.port.onmessage = ({ data }) => this.collectBlock(data);
    this.context.createMediaStreamSource(this.stream).connect(this.node);
    this.node.connect(this.context.destination); // its output is silent, but a node that is not connected does not run
    this.context.addEventListener("statechange", () => {
      // A phone call or a locked screen suspends the audio context without an error.
      if (this.blocks && this.context.state !== "running") this.onLost();
    });
    await this.context.resume();
  }

  get isOpen() {
    return Boolean(this.context) && this.context.state !== "closed";
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
    const processing = { sampleRate, channelCount, echoCancellation, noiseSuppression, autoGainControl };
    return { label: this.track.label, contextRate: this.rate, ...processing };
  }

  async listDevices() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter((device) => device.kind === "audioinput");
  }

  collectBlock({ samples, isLast }) {
    let peak = 0;
    for (const value of samples) peak = Math.max(peak, Math.abs(value));
    this.onLevel(peak);
    this.blocks?.push(samples);
    if (isLast) this.resolveFlush?.();
  }

  async start() {
    if (this.context.state !== "running") await this.context.resume();
    this.blocks = [];
  }

  // Returns all samples since `start`.
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
    return samples;
  }

  async close() {
    this.track?.stop();
    if (this.isOpen) await this.context.close();
  }
}
