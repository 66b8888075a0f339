// The recorder: one component for the talent's page and for the studio's. Its parts are found by data-part.
//
// It goes through these steps, shown one at a time: open, ready, recording, listen, sending. A finished take is kept
// in the browser until the studio has confirmed it, and is offered again when the page comes back.
import { drop, keep, kept } from "./keep.js";
import { Microphone, unsupported } from "./microphone.js";
import { Lost, send } from "./send.js";
import { judge, judgeSound, measure } from "./verdict.js";
import { encodeWav, sha256, toInt16 } from "./wav.js";

const CHECK_SECONDS = 4;

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

class Recorder {
  constructor(root) {
    this.root = root;
    this.set = root.dataset;
    this.limits = { least: Number(this.set.least), most: Number(this.set.most) };
    this.parts = {};
    for (const part of root.querySelectorAll("[data-part]")) this.parts[part.dataset.part] = part;
    this.take = null;
    this.address = null;
    this.microphone = new Microphone(this.set.processor, {
      onLevel: (peak) => this.showLevel(peak),
      onLost: () => this.lost(),
    });
    this.listen();
  }

  listen() {
    const on = (part, event, act) => this.parts[part].addEventListener(event, act);
    on("allow", "click", () => this.allow());
    on("device", "change", () => this.allow(this.parts.device.value));
    on("check", "click", () => this.check());
    on("record", "click", () => this.start());
    on("stop", "click", () => this.finish());
    on("again", "click", () => this.again());
    on("discard", "click", () => this.discard());
    on("send", "click", () => this.send());
    on("audio", "ended", () => this.heard());
    window.addEventListener("online", () => this.waitsForNetwork && this.send());
    window.addEventListener("beforeunload", (event) => this.leaving(event));
    window.addEventListener("pagehide", () => this.microphone.close());
  }

  async begin() {
    this.root.hidden = false;
    const before = await kept(this.set.key);
    if (before) {
      this.offer(before, true);
      this.say("This recording was made here before and has not been sent yet.");
      return;
    }
    const trouble = unsupported();
    if (trouble) this.say(trouble.message, "bad");
    else this.say("First the microphone. It is only used while this page is open.");
    this.parts.allow.disabled = Boolean(trouble);
    this.show("open");
  }

  // --- what is seen ---

  show(step) {
    this.step = step;
    this.root.dataset.step = step;
    for (const part of this.root.querySelectorAll("[data-steps]")) {
      part.hidden = !part.dataset.steps.split(" ").includes(step);
    }
  }

  say(words, tone = "") {
    this.parts.words.textContent = words;
    this.parts.words.dataset.tone = tone;
  }

  showLevel(peak) {
    const decibels = peak > 0 ? Math.max(-60, 20 * Math.log10(peak)) : -60;
    this.parts.level.value = Math.round(60 + decibels);
    this.parts.level.dataset.tone = decibels > -1 ? "bad" : decibels > -30 ? "good" : "";
  }

  // --- the microphone ---

  async allow(deviceId) {
    this.parts.allow.disabled = true;
    this.say("Asking for the microphone …");
    try {
      await this.microphone.close();
      await this.microphone.open(deviceId);
    } catch (trouble) {
      this.say(trouble.message, "bad");
      this.root.dataset.trouble = trouble.code || "failed";
      this.show("open");
      return;
    } finally {
      this.parts.allow.disabled = false;
    }
    delete this.root.dataset.trouble;
    await this.nameDevices();
    this.show("ready");
    this.check();
  }

  async nameDevices() {
    const devices = await this.microphone.devices();
    this.parts.device.replaceChildren(...devices.map((one) => new Option(one.label || "Microphone", one.deviceId)));
    this.parts.device.value = this.microphone.deviceId;
    this.parts.devices.hidden = devices.length < 2;
  }

  // Listen for a few seconds and say how it sounds. Recording waits for it, as both would hear the same microphone.
  async check() {
    if (this.checking) return;
    this.isChecking(true);
    this.say("Say a sentence in your normal voice: the microphone is being checked …");
    try {
      await this.microphone.start();
      await new Promise((resolve) => setTimeout(resolve, CHECK_SECONDS * 1000));
    } finally {
      this.isChecking(false);
    }
    if (this.step !== "ready") return;
    if (document.activeElement === document.body) this.parts.record.focus();
    const pcm = toInt16(await this.microphone.stop());
    const found = judgeSound(measure(pcm, this.microphone.rate));
    if (this.step !== "ready") return;
    if (found.length) this.say(found[0].words, "wait");
    else this.say("The microphone sounds good.", "good");
  }

  isChecking(checking) {
    this.checking = checking;
    this.parts.record.disabled = checking;
    this.parts.check.disabled = checking;
  }

  lost() {
    if (this.step === "recording") this.finish("The recording was interrupted. Listen to what is there, or record again.");
    else if (this.step === "ready") {
      this.say("The microphone went away. Connect it and allow it again.", "bad");
      this.show("open");
    }
  }

  // --- a take ---

  async start() {
    try {
      await this.microphone.start();
    } catch {
      this.lost();
      return;
    }
    this.show("recording");
    this.say("Recording. Read the text aloud, then press stop.");
    this.parts.stop.focus();
    this.startedAt = performance.now();
    this.timer = setInterval(() => this.tick(), 200);
    this.wake = await navigator.wakeLock?.request("screen").catch(() => null);
  }

  tick() {
    const seconds = (performance.now() - this.startedAt) / 1000;
    this.parts.time.textContent = clock(seconds);
    if (seconds >= this.limits.most) this.finish();
  }

  async finish(words = "") {
    if (this.step !== "recording") return;
    this.show("working");
    clearInterval(this.timer);
    this.wake?.release().catch(() => null);
    const pcm = toInt16(await this.microphone.stop());
    const rate = this.microphone.rate;
    const wav = encodeWav(pcm, rate);
    const device = this.microphone.describe();
    const found = judge(measure(pcm, rate), this.limits);
    const take = { wav, device, found, seconds: pcm.length / rate, sha256: await sha256(wav), at: Date.now() };
    this.keeps = take.found.some((one) => one.stops) ? undefined : await keep(this.set.key, take);
    this.offer(take, false);
    if (words) this.say(words, "wait");
  }

  offer(take, wasKept) {
    this.take = take;
    if (wasKept) this.keeps = true;
    if (this.address) URL.revokeObjectURL(this.address);
    this.address = URL.createObjectURL(new Blob([take.wav], { type: "audio/wav" }));
    this.parts.audio.src = this.address;
    this.parts.length.textContent = clock(take.seconds);
    this.parts.fingerprint.textContent = `${take.sha256.slice(0, 12)}…`;
    this.parts.fingerprint.title = take.sha256;
    this.parts.send.disabled = true;
    this.parts.unheard.hidden = false;
    this.showVerdict(take.found || []);
    this.show("listen");
    if (!wasKept) this.parts.audio.focus();
  }

  showVerdict(found) {
    this.stopped = found.some((one) => one.stops);
    this.root.dataset.codes = found.map((one) => one.code).join(" ");
    this.parts.verdict.replaceChildren(
      ...found.map((one) => Object.assign(document.createElement("li"), { textContent: one.words })),
    );
    if (this.stopped) this.say("This one cannot be sent. Record it again.", "bad");
    else if (found.length) this.say("Listen to it. You may want to record it again:", "wait");
    else this.say("That sounds good. Listen to all of it, then send it.", "good");
    this.parts.kept.hidden = !this.keeps;
    this.parts.notkept.hidden = this.keeps !== false;
    this.parts.send.hidden = this.stopped;
  }

  heard() {
    this.parts.send.disabled = false;
    this.parts.unheard.hidden = true;
  }

  // The old take stays in the browser until a new one takes its place.
  async again() {
    this.parts.audio.pause();
    if (!this.microphone.context || this.microphone.context.state === "closed") await this.allow();
    else {
      this.show("ready");
      this.say("Press record when you are ready.");
      this.parts.record.focus();
    }
  }

  async discard() {
    await drop(this.set.key);
    this.take = null;
    await this.again();
    this.say("The recording is deleted.");
  }

  leaving(event) {
    const unsent = this.take && this.step !== "sent" && this.keeps === false;
    if (this.step === "recording" || unsent) event.preventDefault();
  }

  // --- to the studio ---

  async send() {
    this.waitsForNetwork = false;
    this.show("sending");
    this.parts.progress.value = 0;
    this.say("Sending …");
    try {
      const answer = await send(this.set.submit, this.set.csrf, this.take, (share) => (this.parts.progress.value = share));
      await this.answered(answer);
    } catch (error) {
      if (!(error instanceof Lost)) throw error;
      this.waitsForNetwork = true;
      this.back("The network is away. The recording is safe here; it is sent by itself when the network is back.", "wait");
    }
  }

  back(words, tone) {
    this.show("listen");
    this.heard();
    this.say(words, tone);
  }

  async answered({ status, body }) {
    if (status === 200 && body.sha256 === this.take.sha256) {
      await drop(this.set.key);
      this.acknowledged(body);
    } else if (status === 200) {
      this.back("What arrived is not what was sent. Send it once more.", "bad");
    } else if (status === 404) {
      this.back("This link does not work any more. Ask the studio for a new one; the recording stays here for a day.", "bad");
    } else {
      this.back(body.problem || "The studio could not take it in just now. Send it again in a minute.", "bad");
    }
  }

  async acknowledged(body) {
    if (body.next) {
      this.show("sent");
      this.say("It has arrived.", "good");
      await this.microphone.close();
      location.assign(body.next);
      return;
    }
    this.take = null;
    await this.again();
    this.say(body.problem, "bad");
  }
}

for (const root of document.querySelectorAll("[data-recorder]")) new Recorder(root).begin();
