// Takes the place of the browser's microphone: `script` says what it does, and `made` is what the page has asked for.
// Its sound is a hum that swells and fades like syllables.
const RATE = 48000;
const BLOCK_SAMPLES = 1920;
const BLOCK_MS = 40;
const SETTINGS = { deviceId: "scripted", sampleRate: RATE, channelCount: 1, echoCancellation: false, noiseSuppression: false,
  autoGainControl: false };

window.script = { answer: "allow", resume: "running", sound: "voice", settings: {}, label: "Scripted microphone" };
window.made = { tracks: [], contexts: [] };

class Track extends EventTarget {
  constructor() {
    super();
    Object.assign(this, { readyState: "live", muted: false, label: window.script.label });
    window.made.tracks.push(this);
  }
  getSettings() {
    return { ...SETTINGS, ...window.script.settings };
  }
  stop() {
    this.readyState = "ended";
  }
  end() {
    this.stop();
    this.dispatchEvent(new Event("ended"));
  }
}

const makeStream = () => {
  const tracks = [new Track()];
  return { getTracks: () => tracks, getAudioTracks: () => tracks };
};

navigator.mediaDevices.getUserMedia = async () => {
  const { answer } = window.script;
  if (answer === "allow") return makeStream();
  if (answer === "never") return new Promise((resolve) => (window.script.allow = () => resolve(makeStream())));
  throw Object.assign(new Error("raw words of the engine"), { name: answer });
};
navigator.mediaDevices.enumerateDevices = async () => [];

window.AudioContext = class extends EventTarget {
  constructor() {
    super();
    Object.assign(this, { state: "suspended", sampleRate: RATE, destination: {}, audioWorklet: { addModule: async () => {} } });
    window.made.contexts.push(this);
  }
  async resume() {
    if (window.script.resume === "never") return new Promise(() => null);
    if (window.script.resume === "error") throw new Error("raw words of the engine");
    this.state = "running";
  }
  async close() {
    this.state = "closed";
  }
  createMediaStreamSource() {
    return { connect: (node) => node.begin() };
  }
};

window.AudioWorkletNode = class {
  constructor(context) {
    this.context = context;
    this.count = 0;
    this.port = { postMessage: () => this.send(0, true) };
  }
  connect() {}
  begin() {
    setInterval(() => this.context.state === "running" && window.script.sound !== "none" && this.send(BLOCK_SAMPLES, false), BLOCK_MS);
  }
  send(length, isLast) {
    const isSilent = window.script.sound === "zeros";
    const samples = Float32Array.from({ length }, () => (isSilent ? 0 : this.makeSample()));
    this.port.onmessage({ data: { samples, isLast } });
  }
  makeSample() {
    this.count += 1;
    const seconds = this.count / RATE;
    const swell = Math.max(0, Math.sin(2 * Math.PI * 1.5 * seconds)) ** 2;
    return 0.3 * swell * Math.sin(2 * Math.PI * 180 * seconds) + 0.0004 * Math.sin(this.count * 12.9898);
  }
};
