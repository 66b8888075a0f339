// A take: the samples of one recording as a WAV file, with its hash, its length and its findings.
import { checkTake, measureLevels } from "./checks.js";
import { convertToInt16, encodeWav, hashSha256 } from "./wav.js";

export async function createTake(samples, rate, device, config) {
  const pcm = convertToInt16(samples);
  const wav = encodeWav(pcm, rate);
  const findings = checkTake(measureLevels(pcm, rate, config), config);
  return { wav, device, findings, seconds: pcm.length / rate, sha256: await hashSha256(wav), at: Date.now() };
}

// The server would refuse a take that has a blocking finding.
export const isSendable = (take) => !take.findings.some((finding) => finding.blocks);
