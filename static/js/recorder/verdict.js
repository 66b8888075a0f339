// A first, cheap opinion on a recording, within a moment of its end. The server measures again, and properly:
// codes and thresholds are those of voicehub/audio (findings.py, inspect.py).

const FLOOR = -100;
const SILENT_PEAK = -50;
const SILENT_RMS = -55;
const TOO_QUIET = -32;
const CLIPPING_SHARE = 0.001;
const CLIPPING_SLIGHT_SHARE = 0.0001;
const NOISY = 15;
const FLAT_LEAST_PEAK = 1000;

const decibels = (power) => (power > 0 ? Math.max(FLOOR, 10 * Math.log10(power)) : FLOOR);

// Level of the louder half of 20 ms frames over the quietest tenth, in dB, and the level of that tenth.
function noise(pcm, rate) {
  const step = Math.floor(rate / 50);
  const powers = [];
  for (let start = 0; start + step <= pcm.length; start += step) {
    let sum = 0;
    let squares = 0;
    for (let i = start; i < start + step; i += 1) {
      const value = pcm[i] / 32768;
      sum += value;
      squares += value * value;
    }
    powers.push(Math.max(1e-10, squares / step - (sum / step) ** 2));
  }
  powers.sort((a, b) => a - b);
  const mean = (part) => part.reduce((total, value) => total + value, 0) / Math.max(1, part.length);
  const quiet = mean(powers.slice(0, Math.max(1, Math.floor(powers.length / 10))));
  const loud = mean(powers.slice(Math.floor(powers.length / 2)));
  return { floor: decibels(quiet), snr: Math.max(0, decibels(loud - quiet) - decibels(quiet)) };
}

export function measure(pcm, rate) {
  let peak = 0;
  let squares = 0;
  for (const value of pcm) {
    peak = Math.max(peak, Math.abs(value));
    squares += value * value;
  }
  let flat = 0;
  if (peak >= FLAT_LEAST_PEAK) {
    for (let i = 2; i < pcm.length; i += 1) {
      if (Math.abs(pcm[i]) >= peak * 0.999 - 1 && pcm[i] === pcm[i - 1] && pcm[i] === pcm[i - 2]) flat += 1;
    }
  }
  return {
    seconds: pcm.length / rate,
    peak: decibels((peak / 32768) ** 2),
    rms: decibels(squares / Math.max(1, pcm.length) / 32768 ** 2),
    clipped: flat / Math.max(1, pcm.length),
    ...noise(pcm, rate),
  };
}

// What is wrong, worst first, as {code, stops, words}; `stops` means that sending it makes no sense.
export function judge(levels, limits) {
  const found = [];
  const say = (code, stops, words) => found.push({ code, stops, words });
  if (levels.seconds < limits.least) {
    say("too_short", true, "That was too short. Read the whole text, then press stop.");
  } else if (levels.seconds > limits.most) {
    say("too_long", true, "That was too long. Start again just before you read.");
  }
  if (levels.peak < SILENT_PEAK || levels.rms < SILENT_RMS) {
    say("silent", true, "There is nothing to hear. Check which microphone is chosen, and that it is not muted.");
    return found;
  }
  if (levels.clipped > CLIPPING_SHARE) {
    say("clipping", false, "It crackles because it was too loud. Move back a little and record again.");
  } else if (levels.clipped > CLIPPING_SLIGHT_SHARE) {
    say("clipping_slight", false, "A few spots are too loud. Listen to whether it crackles.");
  }
  if (levels.rms < TOO_QUIET) {
    say("too_quiet", false, "It is rather quiet. Move closer to the microphone and record again.");
  }
  if (levels.snr < NOISY) {
    say("noisy", false, "There is a lot of noise around you. A quieter place would help.");
  }
  return found;
}
