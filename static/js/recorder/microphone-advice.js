// Advice about an open microphone, before anything is recorded.

const PROCESSING = {
  echoCancellation: "echo cancellation",
  noiseSuppression: "noise suppression",
  autoGainControl: "automatic gain control",
};
const CALL_RATE_HZ = 16000; // a Bluetooth headset in call mode sends 8 or 16 kHz
const HEADSET = /hands-?free|bluetooth|airpods|\bbuds\b|\bhfp\b|\bhsp\b/i;
const OTHER_BROWSERS = { firefox: "Chrome", chrome: "Firefox" };
const CHOOSE = "Choose another one if you can, and no headset in call mode.";
const WIRELESS =
  "This looks like a wireless headset in call mode, which makes a voice sound like on the telephone. " +
  "Choose another microphone, or disconnect the headset.";

function describeQuality({ label, sampleRate }) {
  if (HEADSET.test(label)) {
    return WIRELESS;
  }
  if (sampleRate > CALL_RATE_HZ || !sampleRate) return "";
  return `This microphone sends only ${sampleRate / 1000} kHz, like a telephone. ${CHOOSE}`;
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
    const other = OTHER_BROWSERS[browser.name] ?? "Firefox or Chrome";
    advice.push(
      `${browser.label} keeps its ${active.join(" and ")} on, which changes the voice. Use ${other} on a computer if you can.`,
    );
  }
  return advice;
}
