// What this browser keeps of the recordings of one consent until the studio has one: the finished take, or else what was
// recorded until the page ended.
import { translate } from "../translate.js";
import { deleteParts, loadParts, PartWriter } from "./part-store.js";
import { buildTake, isSendable } from "./take.js";
import { deleteTake, loadTake, saveTake } from "./take-store.js";

const INTERRUPTED = translate("It was interrupted before you pressed Stop. Listen whether the whole text is there.");

export class TakeKeeper {
  // `onFailure()`: what is recorded now cannot be kept.
  constructor(id, config, onFailure) {
    Object.assign(this, { id, config, onFailure, writer: null });
  }

  // A take from an earlier visit, with `isPart` if the page ended while it was recorded. Nothing if there is none.
  async load() {
    const take = await loadTake(this.id);
    if (take) return { findings: [], ...take, isPart: false }; // an earlier version stored takes without findings
    const recording = await loadParts(this.id);
    return recording && this.rebuild(recording);
  }

  async rebuild({ device, ...recording }) {
    const take = await buildTake({ ...recording, device: { ...device, isInterrupted: true }, lostSeconds: 0 }, this.config);
    const findings = [...take.findings, { code: "interrupted", blocks: false, text: INTERRUPTED }];
    return { ...take, findings, at: recording.at, isPart: true };
  }

  begin(rate, device) {
    this.writer = new PartWriter(this.id, { rate, device }, this.onFailure);
  }

  add(samples) {
    this.writer?.add(samples);
  }

  // Returns whether the take is stored; undefined for one that is not kept, as it cannot be sent.
  async finish(take) {
    await this.writer?.close();
    this.writer = null;
    if (isSendable(take)) return saveTake(this.id, take);
    await deleteParts(this.id);
    return undefined;
  }

  async delete() {
    await this.writer?.close();
    this.writer = null;
    await deleteTake(this.id);
  }
}
