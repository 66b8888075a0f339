// The microphone: opened once, with the browser's own processing off, and read through an AudioWorklet.

const ALLOWED_RATES = [8000, 16000, 22050, 44100, 48000];
const SOUND = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 1 };

export class Trouble extends Error {
  constructor(code, words) {
    super(words);
    this.code = code;
  }
}

const WORDS = {
  NotAllowedError: [
    "denied",
    "The microphone is blocked for this page. Allow it in the browser (the sign beside the address), then try again.",
  ],
  NotFoundError: ["no_device", "No microphone was found. Plug one in, or open the link on a phone, then try again."],
  NotReadableError: [
    "busy",
    "Another program is using the microphone. Close calls and other recorders, then try again.",
  ],
};

function explain(error) {
  const [code, words] = WORDS[error.name] || [
    "failed",
    "The microphone could not be opened. Try again, or use another browser or device.",
  ];
  return new Trouble(code, words);
}

export function unsupported() {
  if (!window.isSecureContext) {
    return new Trouble("not_https", "A microphone only works over a secure address that begins with https.");
  }
  if (!navigator.mediaDevices?.getUserMedia || !window.AudioWorkletNode) {
    return new Trouble("unsupported", "This browser cannot record. Use a current one, or send a WAV file instead.");
  }
  return null;
}

export class Microphone {
  // `onLevel(peak)` is called about twenty times a second with 0..1; `onLost()` when the microphone goes away.
  constructor(processorUrl, { onLevel, onLost }) {
    this.processorUrl = processorUrl;
    this.onLevel = onLevel;
    this.onLost = onLost;
    this.blocks = null;
    this.flushed = null;
  }

  async open(deviceId) {
    const trouble = unsupported();
    if (trouble) throw trouble;
    try {
      const audio = deviceId ? { ...SOUND, deviceId: { exact: deviceId } } : SOUND;
      this.stream = await navigator.mediaDevices.getUserMedia({ audio });
    } catch (error) {
      throw explain(error);
    }
    this.track = this.stream.getAudioTracks()[0];
    this.track.addEventListener("ended", () => this.onLost());
    await this.connect();
  }

  async connect() {
    this.context = new AudioContext();
    if (!ALLOWED_RATES.includes(this.context.sampleRate)) {
      await this.context.close();
      this.context = new AudioContext({ sampleRate: 48000 });
    }
    await this.context.audioWorklet.addModule(this.processorUrl);
    this.node = new AudioWorkletNode(this.context, "samples", { numberOfInputs: 1, channelCount: 1 });
    this.node.port.onmessage = ({ data }) => this.take(data);
    this.context.createMediaStreamSource(this.stream).connect(this.node);
    this.node.connect(this.context.destination); // it puts out silence, but is only run when somebody listens
    this.context.addEventListener("statechange", () => {
      // A phone call or a locked screen stops the sound without a word.
      if (this.blocks && this.context.state !== "running") this.onLost();
    });
    await this.context.resume();
  }

  get rate() {
    return this.context.sampleRate;
  }

  // What the browser says of the device and its own processing, for the record.
  describe() {
    const { sampleRate, channelCount, echoCancellation, noiseSuppression, autoGainControl } = this.track.getSettings();
    const said = { sampleRate, channelCount, echoCancellation, noiseSuppression, autoGainControl };
    return { label: this.track.label, contextRate: this.rate, ...said };
  }

  async devices() {
    const all = await navigator.mediaDevices.enumerateDevices();
    return all.filter((device) => device.kind === "audioinput");
  }

  get deviceId() {
    return this.track.getSettings().deviceId;
  }

  take({ samples, last }) {
    let peak = 0;
    for (const value of samples) peak = Math.max(peak, Math.abs(value));
    this.onLevel(peak);
    this.blocks?.push(samples);
    if (last) this.flushed?.();
  }

  async start() {
    if (this.context.state !== "running") await this.context.resume();
    this.blocks = [];
  }

  // All samples since `start`.
  async stop() {
    await new Promise((resolve) => {
      this.flushed = resolve;
      this.node.port.postMessage("rest");
      setTimeout(resolve, 500); // a stopped audio thread never answers: what came until then is kept
    });
    const blocks = this.blocks || [];
    this.blocks = null;
    const samples = new Float32Array(blocks.reduce((total, block) => total + block.length, 0));
    let at = 0;
    for (const block of blocks) {
      samples.set(block, at);
      at += block.length;
    }
    return samples;
  }

  async close() {
    this.track?.stop();
    if (this.context && this.context.state !== "closed") await this.context.close();
  }
}
