// Quick checks of a recording in the browser, right after it ends. The server measures it again and decides.
// The codes, thresholds and measuring constants come from the server: the page passes them as `config`.

import { translate } from "../translate.js";

const MIN_POWER = 1e-10;

const makeDecibels = (floor) => (power) => (power > 0 ? Math.max(floor, 10 * Math.log10(power)) : floor);
const mean = (values) => values.reduce((total, value) => total + value, 0) / Math.max(1, values.length);

// The power of each frame, without its DC offset.
function computeFramePowers(pcm, rate, framesPerSecond) {
  const step = Math.floor(rate / framesPerSecond);
  const powers = new Float64Array(Math.floor(pcm.length / step));
  for (let frame = 0; frame < powers.length; frame += 1) {
    let sum = 0;
    let squares = 0;
    for (let i = frame * step; i < (frame + 1) * step; i += 1) {
      const value = pcm[i] / 32768;
      sum += value;
      squares += value * value;
    }
    powers[frame] = Math.max(MIN_POWER, squares / step - (sum / step) ** 2);
  }
  return powers;
}

// The signal-to-noise ratio in dB (louder half of the frames over the quietest frames), and which frames are speech.
function findSpeech(powers, measuring) {
  const decibels = makeDecibels(measuring.floorDb);
  const isSound = (power) => decibels(power) > measuring.digitalSilenceDb;
  const first = powers.findIndex(isSound);
  const ranked = (first < 0 ? powers : powers.slice(first, powers.findLastIndex(isSound) + 1)).slice().sort();
  const count = ranked.length;
  const parts = measuring.quietestParts;
  const noise = mean(ranked.slice(0, Math.max(1, Math.floor(count / parts))));
  const noiseDb = decibels(noise);
  const loudestDb = decibels(mean(ranked.slice(Math.floor((count * (parts - 1)) / parts))));
  const leastDb = Math.min(
    0,
    Math.max(measuring.speechLeastDb, noiseDb + measuring.speechOverNoiseDb, loudestDb - measuring.speechUnderLoudestDb),
  );
  const speechFrames = [];
  for (const [frame, power] of powers.entries()) if (power >= 10 ** (leastDb / 10)) speechFrames.push(frame);
  const snrDb = Math.max(0, decibels(mean(ranked.slice(Math.floor(count / 2))) - noise) - noiseDb);
  return { snrDb, speechFrames };
}

// Seconds of speech, of silence before and after it, and of its longest pause.
function measureTimes(speechFrames, seconds, { framesPerSecond, pauseSeconds }) {
  const count = speechFrames.length;
  const end = (speechFrames.at(-1) + 1) / framesPerSecond;
  let pause = 0;
  for (let i = 1; i < count; i += 1) {
    pause = Math.max(pause, (speechFrames[i] - speechFrames[i - 1] - 1) / framesPerSecond);
  }
  return {
    speech: count / framesPerSecond,
    leading: count ? speechFrames[0] / framesPerSecond : seconds,
    trailing: count ? Math.max(0, seconds - end) : seconds,
    pause: pause >= pauseSeconds ? pause : 0,
  };
}

// How many samples are clipped: runs of equal samples at the peak of the file.
function countClippedSamples(pcm, peak, { clippingMinPeak, clippingNearPeak, clippingMinRun }) {
  const least = Math.max(clippingMinPeak, Math.ceil(peak * clippingNearPeak - 1));
  let clipped = 0;
  let run = 0;
  for (let i = 0; i < pcm.length; i += 1) {
    if (Math.abs(pcm[i]) < least) run = 0;
    else run = run && pcm[i] === pcm[i - 1] ? run + 1 : 1;
    if (run >= clippingMinRun) clipped += run === clippingMinRun ? clippingMinRun : 1;
  }
  return clipped;
}

// Levels in dB below full scale, times in seconds, `clipped` as a share of all samples.
export function measureLevels(pcm, rate, { measuring }) {
  const decibels = makeDecibels(measuring.floorDb);
  let peak = 0;
  let squares = 0;
  for (const value of pcm) {
    peak = Math.max(peak, Math.abs(value));
    squares += value * value;
  }
  const seconds = pcm.length / rate;
  const { snrDb, speechFrames } = findSpeech(computeFramePowers(pcm, rate, measuring.framesPerSecond), measuring);
  return {
    seconds,
    peak: decibels((peak / 32768) ** 2),
    rms: decibels(squares / Math.max(1, pcm.length) / 32768 ** 2),
    clipped: countClippedSamples(pcm, peak, measuring) / Math.max(1, pcm.length),
    snr: snrDb,
    ...measureTimes(speechFrames, seconds, measuring),
  };
}

// Findings as {code, blocks, text}. A finding that blocks means that the server would refuse the take.
const warn = (code, text) => ({ code, blocks: false, text });
const block = (code, text) => ({ code, blocks: true, text });

// Problems of the sound itself, worst first.
export function checkSound(levels, { thresholds }) {
  if (levels.peak < thresholds.silentPeakDbfs || levels.rms < thresholds.silentRmsDbfs) {
    return [
      block("silent", translate("The recording is silent. Check which microphone is chosen, and that it is not muted.")),
    ];
  }
  const findings = [];
  if (levels.clipped > thresholds.clippingShare) {
    findings.push(
      warn("clipping", translate("The sound is distorted because it was too loud. Move back a little and record again.")),
    );
  } else if (levels.clipped > thresholds.clippingSlightShare) {
    findings.push(warn("clipping_slight", translate("A few spots are too loud. Listen for crackling.")));
  }
  if (levels.speech < thresholds.silentSpeechSeconds) {
    findings.push(
      warn("no_speech", translate("No speech was found. Speak toward the microphone, and check which one is chosen.")),
    );
    return findings;
  }
  if (levels.rms < thresholds.tooQuietDbfs) {
    findings.push(warn("too_quiet", translate("It is rather quiet. Move closer to the microphone and record again.")));
  } else if (levels.rms > thresholds.tooLoudDbfs) {
    findings.push(warn("too_loud", translate("It is very loud. Move back a little and record again.")));
  }
  if (levels.snr < thresholds.noisyDb) {
    findings.push(warn("noisy", translate("There is a lot of noise around you. A quieter place would help.")));
  }
  return findings;
}

function checkLength(seconds, { limits }) {
  if (seconds < limits.minSeconds) {
    return [block("too_short", translate("That was too short. Read the whole text, then press Stop."))];
  }
  if (seconds > limits.maxSeconds) {
    return [block("too_long", translate("That was too long. Start again just before you read."))];
  }
  return [];
}

function checkSilences(levels, { thresholds }) {
  const findings = [];
  if (levels.leading > thresholds.edgeSilenceSeconds) {
    findings.push(
      warn("silence_at_start", translate("There is a long silence at the start. Begin to read as soon as you press Record.")),
    );
  }
  if (levels.trailing > thresholds.edgeSilenceSeconds) {
    findings.push(
      warn("silence_at_end", translate("There is a long silence at the end. Press Stop right after your last word.")),
    );
  }
  if (levels.pause > thresholds.pauseSeconds) {
    findings.push(warn("long_pause", translate("There is a long pause in it. Record it again if you lost your place.")));
  }
  return findings;
}

// Problems of a whole take: its length, its sound, and its silences.
export function checkTake(levels, config) {
  const sound = checkSound(levels, config);
  const hasSpeech = !sound.some(({ code }) => code === "silent" || code === "no_speech");
  return [...checkLength(levels.seconds, config), ...sound, ...(hasSpeech ? checkSilences(levels, config) : [])];
}
