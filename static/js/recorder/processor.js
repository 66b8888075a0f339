// Runs beside the page on the audio thread: hands over the microphone's samples, untouched, in blocks.
const BLOCK = 2048;

class Samples extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Float32Array(BLOCK);
    this.filled = 0;
    // The page asks for what is left in the block before it stops.
    this.port.onmessage = () => this.hand(true);
  }

  hand(last) {
    const part = this.block.slice(0, this.filled);
    this.filled = 0;
    this.port.postMessage({ samples: part, last }, [part.buffer]);
  }

  process([input]) {
    const heard = input[0];
    if (!heard) return true;
    for (let start = 0; start < heard.length; ) {
      const room = Math.min(BLOCK - this.filled, heard.length - start);
      this.block.set(heard.subarray(start, start + room), this.filled);
      this.filled += room;
      start += room;
      if (this.filled === BLOCK) this.hand(false);
    }
    return true;
  }
}

registerProcessor("samples", Samples);
