// Stores what is recorded while it is recorded, encrypted, so that a reload or a crash loses half a second at most.
import { makeKey, seal, sealObject, unseal, unsealObject } from "./take-crypto.js";
import { makeRange, runInTransaction, toPromise } from "./take-database.js";
import { convertToInt16 } from "./wav.js";

const PART_SECONDS = 0.5;

function joinBlocks(blocks) {
  const joined = new blocks[0].constructor(blocks.reduce((total, block) => total + block.length, 0));
  let offset = 0;
  for (const block of blocks) {
    joined.set(block, offset);
    offset += block.length;
  }
  return joined;
}

export class PartWriter {
  // `facts` are {rate, device}. `onFailure()` is called once, when this browser cannot store it.
  constructor(id, facts, onFailure) {
    Object.assign(this, { id, facts, onFailure, startedAt: Date.now(), number: 0, blocks: [], samples: 0, isOpen: true });
    this.writing = this.write(() => this.begin());
  }

  // The parts of an earlier recording go with the first of this one.
  async begin() {
    this.key = await makeKey();
    const facts = await sealObject(this.key, this.facts);
    await runInTransaction("readwrite", async ({ parts }) => {
      await toPromise(parts.delete(makeRange(this.id)));
      await toPromise(parts.put({ key: this.key, facts }, [this.id, this.startedAt, 0]));
    });
  }

  // The next samples, of -1..1.
  add(samples) {
    this.blocks.push(samples);
    this.samples += samples.length;
    if (this.samples < PART_SECONDS * this.facts.rate) return;
    const { blocks } = this;
    Object.assign(this, { blocks: [], samples: 0 });
    this.writing = this.writing.then(() => this.write(() => this.put(blocks)));
  }

  async put(blocks) {
    const sealed = await seal(this.key, convertToInt16(joinBlocks(blocks)));
    this.number += 1;
    await runInTransaction("readwrite", ({ parts }) => toPromise(parts.put(sealed, [this.id, this.startedAt, this.number])));
  }

  // One after the other: a part that is missing would end what can be read.
  async write(work) {
    if (!this.isOpen) return;
    try {
      await work();
    } catch {
      this.isOpen = false;
      this.onFailure();
    }
  }

  // The take is finished. Waits for what is being written, so that nothing comes after the take.
  async close() {
    this.isOpen = false;
    await this.writing;
  }
}

// The parts in their order, up to a gap.
function listParts(keys, records) {
  const end = keys.findIndex((key, index) => key[2] !== index);
  return records.slice(0, end < 0 ? undefined : end);
}

// What was recorded last and never finished, as {pcm, rate, device, at}; nothing if there is none.
export async function loadParts(id) {
  try {
    const [startedAt, [header, ...parts]] = await runInTransaction("readonly", async ({ parts: store }) => {
      const all = await toPromise(store.getAllKeys(makeRange(id)));
      const start = Math.max(...all.map((key) => key[1]));
      const keys = all.filter((key) => key[1] === start);
      return [start, listParts(keys, await toPromise(store.getAll(makeRange(id, start))))];
    });
    if (!parts.length) return undefined;
    const blocks = [];
    for (const part of parts) blocks.push(new Int16Array(await unseal(header.key, part)));
    return { ...(await unsealObject(header.key, header.facts)), pcm: joinBlocks(blocks), at: startedAt };
  } catch {
    return undefined;
  }
}

export async function deleteParts(id) {
  try {
    await runInTransaction("readwrite", ({ parts }) => toPromise(parts.delete(makeRange(id))));
  } catch {
    // A browser that cannot store parts has none to delete.
  }
}
