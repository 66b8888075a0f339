// Notices while recording that samples stop, are silent or get lost. Times are milliseconds of performance.now().

import { formatNumber, translate } from "../translate.js";

const WARN_SECONDS = 1.5;
const END_SECONDS = 5;
const MAX_TICK_SECONDS = 0.5; // a page that was frozen gets its timer before the samples that wait for it
const RECENT_BLOCKS = 10;
const LOST_SECONDS = 0.4; // clocks of sound devices differ by less, and late blocks are not lost
const GAP_RUN_SECONDS = 0.005;
const GAP_EDGE_SECONDS = 0.002;
const GAP_EDGE_PEAK = 164; // of 32768: sound that fades out is quieter at the edge of a gap
const GAP_SECONDS = 0.02;

const PROBLEMS = {
  stalled: {
    text: translate("No sound is arriving from the microphone. Check that it is still connected."),
    end: translate("The microphone stopped sending sound, so the recording was stopped."),
  },
  silent: {
    text: translate("The microphone is sending silence. Check that it is connected and not muted."),
    end: translate("The microphone sent nothing but silence for {seconds} seconds, so the recording was stopped.", {
      seconds: END_SECONDS,
    }),
  },
  muted: { text: translate("The microphone is muted, by a key, by the system or by a call. Turn it on again.") },
  behind: {
    text: translate("Parts of the sound are being lost, because this device is busy. Close other programs, then record again."),
  },
};

const warnAbout = (code) => ({ code, text: PROBLEMS[code].text, isEnd: false });
const endWith = (code) => ({ code, text: PROBLEMS[code].end, isEnd: true });

export class CaptureWatch {
  constructor(rate, now) {
    this.rate = rate;
    this.lastTickAt = now;
    this.samples = 0;
    this.silentSamples = 0; // the exact zeros at the end
    this.stalledSeconds = 0;
    this.leastDelay = Infinity;
    this.recentDelays = [];
  }

  addBlock(block, now) {
    this.samples += block.length;
    this.silentSamples = block.every((value) => value === 0) ? this.silentSamples + block.length : 0;
    this.stalledSeconds = 0;
    const delay = now / 1000 - this.samples / this.rate;
    this.leastDelay = Math.min(this.leastDelay, delay);
    this.recentDelays = [...this.recentDelays, delay].slice(-RECENT_BLOCKS);
  }

  // By how much the clock ran ahead of the samples. A block that is only late does not count: the next ones catch up.
  get lostSeconds() {
    return this.recentDelays.length ? Math.min(...this.recentDelays) - this.leastDelay : 0;
  }

  // {code, text, isEnd} or null. Call it several times a second.
  findProblem(now, isMuted) {
    this.stalledSeconds += Math.min((now - this.lastTickAt) / 1000, MAX_TICK_SECONDS);
    this.lastTickAt = now;
    const silentSeconds = this.silentSamples / this.rate;
    if (this.stalledSeconds >= END_SECONDS) return endWith("stalled");
    if (silentSeconds >= END_SECONDS) return endWith("silent");
    if (isMuted) return warnAbout("muted");
    if (this.stalledSeconds >= WARN_SECONDS) return warnAbout("stalled");
    if (silentSeconds >= WARN_SECONDS) return warnAbout("silent");
    return this.lostSeconds >= LOST_SECONDS ? warnAbout("behind") : null;
  }
}

function hasEdge(pcm, start, end) {
  for (let i = Math.max(0, start); i < Math.min(end, pcm.length); i += 1) if (Math.abs(pcm[i]) >= GAP_EDGE_PEAK) return true;
  return false;
}

// Seconds of exact zeros that cut into sound. A microphone that fades out and sends zeros in pauses has no such gap.
export function measureGaps(pcm, rate) {
  const edge = Math.round(GAP_EDGE_SECONDS * rate);
  let total = 0;
  let start = -1;
  for (let i = 0; i < pcm.length; i += 1) {
    if (pcm[i] === 0) {
      if (start < 0) start = i;
      continue;
    }
    const isGap = start > 0 && i - start >= GAP_RUN_SECONDS * rate;
    if (isGap && (hasEdge(pcm, start - edge, start) || hasEdge(pcm, i, i + edge))) total += i - start;
    start = -1;
  }
  return total / rate;
}

const round = (seconds) => Math.round(seconds * 100) / 100;

// The losses of a recording as {lostSeconds, gapSeconds}, each only if there is one.
export function findLosses(pcm, rate, lostSeconds) {
  const gapSeconds = measureGaps(pcm, rate);
  return {
    ...(lostSeconds >= LOST_SECONDS && { lostSeconds: round(lostSeconds) }),
    ...(gapSeconds >= GAP_SECONDS && { gapSeconds: round(gapSeconds) }),
  };
}

// A finding like those of checks.js, in a list that is empty without a loss.
export function listLossFindings({ lostSeconds = 0, gapSeconds = 0 }) {
  const seconds = lostSeconds + gapSeconds;
  if (!seconds) return [];
  const text =
    seconds < 0.1
      ? translate("A small part of the sound is missing. Close other programs and tabs, then record it again.")
      : translate("About {seconds} s of the sound is missing. Close other programs and tabs, then record it again.", {
          seconds: formatNumber(seconds, 1),
        });
  return [{ code: "lost_sound", blocks: false, text }];
}
