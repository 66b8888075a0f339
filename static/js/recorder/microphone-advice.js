// Advice about an open microphone, before anything is recorded.

import { translate } from "../translate.js";

const PROCESSING = {
  echoCancellation: translate("echo cancellation"),
  noiseSuppression: translate("noise suppression"),
  autoGainControl: translate("automatic gain control"),
};
const CALL_RATE_HZ = 16000; // a Bluetooth headset in call mode sends 8 or 16 kHz
const HEADSET = /hands-?free|bluetooth|airpods|\bbuds\b|\bhfp\b|\bhsp\b/i;
const OTHER_BROWSERS = { firefox: "Chrome", chrome: "Firefox" };
const WIRELESS = [
  translate("This looks like a wireless headset in call mode, which makes a voice sound like on the telephone."),
  translate("Choose another microphone, or disconnect the headset."),
].join(" ");

function describeQuality({ label, sampleRate }) {
  if (HEADSET.test(label)) {
    return WIRELESS;
  }
  if (sampleRate > CALL_RATE_HZ || !sampleRate) return "";
  return translate(
    "This microphone sends only {rate} kHz, like a telephone. Choose another one if you can, and no headset in call mode.",
    { rate: sampleRate / 1000 },
  );
}

// Some browsers keep their processing although the page asks for none. A setting can also be a text that names its kind.
export function listActiveProcessing(device) {
  return Object.keys(PROCESSING).filter((key) => device[key] === true || (typeof device[key] === "string" && device[key]));
}

// Sentences about the microphone that `Microphone.describe()` describes.
export function listAdvice(device, browser) {
  const advice = [describeQuality(device)].filter(Boolean);
  const active = listActiveProcessing(device).map((key) => PROCESSING[key]);
  if (active.length) {
    const other = OTHER_BROWSERS[browser.name] ?? translate("Firefox or Chrome");
    const values = { browser: browser.label, processing: active.join(", "), other };
    advice.push(translate("{browser} changes the voice with: {processing}. Use {other} on a computer if you can.", values));
  }
  return advice;
}
