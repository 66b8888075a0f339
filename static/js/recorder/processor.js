// An AudioWorklet processor: posts the microphone's samples, unchanged, to the page in blocks.
const BLOCK_SAMPLES = 2048;

class SampleCollector extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Float32Array(BLOCK_SAMPLES);
    this.filled = 0;
    // The page asks for the unfinished block before it stops.
    this.port.onmessage = () => this.postBlock(true);
  }

  postBlock(isLast) {
    const samples = this.block.slice(0, this.filled);
    this.filled = 0;
    this.port.postMessage({ samples, isLast }, [samples.buffer]);
  }

  process([input]) {
    const samples = input[0];
    if (!samples) return true;
    for (let start = 0; start < samples.length; ) {
      const count = Math.min(BLOCK_SAMPLES - this.filled, samples.length - start);
      this.block.set(samples.subarray(start, start + count), this.filled);
      this.filled += count;
      start += count;
      if (this.filled === BLOCK_SAMPLES) this.postBlock(false);
    }
    return true;
  }
}

registerProcessor("sample-collector", SampleCollector);
