// A first, cheap opinion on a recording, within a moment of its end. The server measures again, and properly:
// codes and thresholds are those of audio/, and so are the measures (levels/measure.py, levels/clipping.py).

const FLOOR = -100;
const FRAMES_PER_SECOND = 50;
const DIGITAL_SILENCE = -95;
const SPEECH_OVER_NOISE = 8;
const SPEECH_UNDER_LOUDEST = 35;
const SPEECH_LEAST = -55;
const PAUSE_LEAST = 0.5;
const FLAT_LEAST_PEAK = 1000;
const SILENT_PEAK = -50;
const SILENT_RMS = -55;
const SILENT_SPEECH = 0.3;
const TOO_QUIET = -32;
const TOO_LOUD = -13;
const CLIPPING_SHARE = 0.001;
const CLIPPING_SLIGHT_SHARE = 0.0001;
const NOISY = 15;
const EDGE_SILENCE = 1;
const PAUSE = 1.5;

const decibels = (power) => (power > 0 ? Math.max(FLOOR, 10 * Math.log10(power)) : FLOOR);
const mean = (part) => part.reduce((total, value) => total + value, 0) / Math.max(1, part.length);

// The power of each 20 ms, without its mean.
function framePowers(pcm, rate) {
  const step = Math.floor(rate / FRAMES_PER_SECOND);
  const powers = new Float64Array(Math.floor(pcm.length / step));
  for (let frame = 0; frame < powers.length; frame += 1) {
    let sum = 0;
    let squares = 0;
    for (let i = frame * step; i < (frame + 1) * step; i += 1) {
      const value = pcm[i] / 32768;
      sum += value;
      squares += value * value;
    }
    powers[frame] = Math.max(1e-10, squares / step - (sum / step) ** 2);
  }
  return powers;
}

// The louder half of the frames over the quietest tenth, in dB, and which frames are as loud as speech.
function speech(powers) {
  const isSound = (power) => decibels(power) > DIGITAL_SILENCE;
  const first = powers.findIndex(isSound);
  const ranked = (first < 0 ? powers : powers.slice(first, powers.findLastIndex(isSound) + 1)).slice().sort();
  const count = ranked.length;
  const noise = mean(ranked.slice(0, Math.max(1, Math.floor(count / 10))));
  const floor = decibels(noise);
  const loudest = decibels(mean(ranked.slice(Math.floor((count * 9) / 10))));
  const least = Math.min(0, Math.max(SPEECH_LEAST, floor + SPEECH_OVER_NOISE, loudest - SPEECH_UNDER_LOUDEST));
  const spoken = [];
  for (const [frame, power] of powers.entries()) if (power >= 10 ** (least / 10)) spoken.push(frame);
  return { snr: Math.max(0, decibels(mean(ranked.slice(Math.floor(count / 2))) - noise) - floor), spoken };
}

// Seconds of speech, before it, after it, and in its longest pause.
function times(spoken, seconds) {
  const end = (spoken.at(-1) + 1) / FRAMES_PER_SECOND;
  let pause = 0;
  for (let i = 1; i < spoken.length; i += 1) pause = Math.max(pause, (spoken[i] - spoken[i - 1] - 1) / FRAMES_PER_SECOND);
  return {
    speech: spoken.length / FRAMES_PER_SECOND,
    leading: spoken.length ? spoken[0] / FRAMES_PER_SECOND : seconds,
    trailing: spoken.length ? Math.max(0, seconds - end) : seconds,
    pause: pause >= PAUSE_LEAST ? pause : 0,
  };
}

// How many samples lie in flat tops: three or more equal ones at the peak.
function flatSamples(pcm, peak) {
  const least = Math.max(FLAT_LEAST_PEAK, Math.ceil(peak * 0.999 - 1));
  let flat = 0;
  let run = 0;
  for (let i = 0; i < pcm.length; i += 1) {
    if (Math.abs(pcm[i]) < least) run = 0;
    else run = run && pcm[i] === pcm[i - 1] ? run + 1 : 1;
    if (run >= 3) flat += run === 3 ? 3 : 1;
  }
  return flat;
}

export function measure(pcm, rate) {
  let peak = 0;
  let squares = 0;
  for (const value of pcm) {
    peak = Math.max(peak, Math.abs(value));
    squares += value * value;
  }
  const seconds = pcm.length / rate;
  const { snr, spoken } = speech(framePowers(pcm, rate));
  return {
    seconds,
    peak: decibels((peak / 32768) ** 2),
    rms: decibels(squares / Math.max(1, pcm.length) / 32768 ** 2),
    clipped: flatSamples(pcm, peak) / Math.max(1, pcm.length),
    snr,
    ...times(spoken, seconds),
  };
}

// What is wrong with the sound, worst first, as {code, stops, words}; `stops` means that sending it makes no sense.
export function judgeSound(levels) {
  const found = [];
  const say = (code, stops, words) => found.push({ code, stops, words });
  if (levels.peak < SILENT_PEAK || levels.rms < SILENT_RMS) {
    say("silent", true, "There is nothing to hear. Check which microphone is chosen, and that it is not muted.");
    return found;
  }
  if (levels.clipped > CLIPPING_SHARE) {
    say("clipping", false, "It crackles because it was too loud. Move back a little and record again.");
  } else if (levels.clipped > CLIPPING_SLIGHT_SHARE) {
    say("clipping_slight", false, "A few spots are too loud. Listen to whether it crackles.");
  }
  if (levels.speech < SILENT_SPEECH) {
    say("no_speech", false, "No voice is heard in it. Speak towards the microphone, and check which one is chosen.");
    return found;
  }
  if (levels.rms < TOO_QUIET) {
    say("too_quiet", false, "It is rather quiet. Move closer to the microphone and record again.");
  } else if (levels.rms > TOO_LOUD) {
    say("too_loud", false, "It is very loud. Move back a little and record again.");
  }
  if (levels.snr < NOISY) {
    say("noisy", false, "There is a lot of noise around you. A quieter place would help.");
  }
  return found;
}

// The same of a whole take, with its length and its silences.
export function judge(levels, limits) {
  const found = [];
  const say = (code, stops, words) => found.push({ code, stops, words });
  if (levels.seconds < limits.least) {
    say("too_short", true, "That was too short. Read the whole text, then press stop.");
  } else if (levels.seconds > limits.most) {
    say("too_long", true, "That was too long. Start again just before you read.");
  }
  found.push(...judgeSound(levels));
  if (found.some((one) => one.code === "silent" || one.code === "no_speech")) return found;
  if (levels.leading > EDGE_SILENCE) {
    say("silence_at_start", false, "It is long before you begin. Read as soon as you have pressed record.");
  }
  if (levels.trailing > EDGE_SILENCE) {
    say("silence_at_end", false, "It goes on long after your last word. Press stop as soon as you have read it.");
  }
  if (levels.pause > PAUSE) {
    say("long_pause", false, "There is a long pause in it. Record it again if you lost your place.");
  }
  return found;
}
