// A take: the samples of one recording as a WAV file, with its hash, its length and its findings.
import { findLosses, listLossFindings } from "./capture-watch.js";
import { checkTake, measureLevels } from "./checks.js";
import { convertToInt16, encodeWav, hashSha256 } from "./wav.js";

// `recording` is what `Microphone.stop()` returns.
export const createTake = ({ samples, ...recording }, config) => buildTake({ ...recording, pcm: convertToInt16(samples) }, config);

export async function buildTake({ pcm, rate, device, lostSeconds }, config) {
  const wav = encodeWav(pcm, rate);
  const losses = findLosses(pcm, rate, lostSeconds);
  const findings = [...checkTake(measureLevels(pcm, rate, config), config), ...listLossFindings(losses)];
  const seconds = pcm.length / rate;
  return { wav, device: { ...device, ...losses }, findings, seconds, sha256: await hashSha256(wav), at: Date.now() };
}

// The server would refuse a take that has a blocking finding.
export const isSendable = (take) => !take.findings.some((finding) => finding.blocks);
