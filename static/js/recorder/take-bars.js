// The waveform of a recording that is not sent yet, as the server draws it of a stored one (voicehub/wave_paths.py).
const BARS = 56;
const HEIGHT = 32;
const LOUDEST = 32768;
const EXPONENT = 0.6;
const HEADER_BYTES = 44;

// What stands in `d` of its path. `wav` is a file of encodeWav().
export function drawBars(wav) {
  const pcm = new Int16Array(wav, HEADER_BYTES);
  const count = Math.min(BARS, pcm.length);
  return Array.from({ length: count }, (_, bar) => {
    const part = pcm.subarray(Math.floor((bar * pcm.length) / count), Math.floor(((bar + 1) * pcm.length) / count));
    const loudest = part.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const size = Math.max(1, Math.round((loudest / LOUDEST) ** EXPONENT * (HEIGHT - 1)));
    return `M${bar + 0.5} ${(HEIGHT - size) / 2}v${size}`;
  }).join("");
}
