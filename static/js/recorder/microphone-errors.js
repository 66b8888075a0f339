// What to tell the person when the microphone cannot be used: a text, and the steps for this browser.
import { translate } from "../translate.js";
import { listBlockedSteps, listQuestionSteps } from "./browser-steps.js";

export class MicrophoneError extends Error {
  constructor(text, steps = []) {
    super(text);
    this.steps = steps;
  }
}

// The browser did not answer within the time limit.
export class NoAnswerError extends Error {}

export const NO_SOUND_OUTPUT = translate(
  "The browser could not start its audio. Connect a loudspeaker or headphones, or turn the sound output on, then try again.",
);
export const NOT_LOADED = translate("A part of the recorder could not be loaded. Check the connection, then try again.");
export const DISCONNECTED = translate("The microphone was disconnected. Connect it and allow it again.");
export const NO_SAMPLES = translate(
  "No sound is arriving from the microphone. Check that it is connected, or choose another one.",
);

const BLOCKED = translate("The microphone is blocked for this page. Allow it in the browser:");
const BLOCKED_BY_SYSTEM = translate(
  "This device does not let the browser use the microphone. Allow it in the privacy settings of the device, then try again.",
);
const CLOSED = translate("The question about the microphone was closed without an answer. Try again, then press Allow.");
const UNANSWERED = translate("The browser asks whether this page may use the microphone, and was not answered.");
const NO_ANSWER = translate("The microphone did not answer. Connect it again or choose another one, then try again.");
const NOT_CHOSEN = translate("That microphone is not there any more. Try again with another one.");
const NOT_FOUND = translate("No microphone was found. Plug one in, or open the link on a phone, then try again.");
const IN_USE = translate("Another program is using the microphone. Close calls and other recorders, then try again.");
const OTHER = translate("The microphone could not be opened. Try again, or use another browser or device.");

const TEXTS = { NotFoundError: NOT_FOUND, OverconstrainedError: NOT_CHOSEN, NotReadableError: IN_USE, AbortError: IN_USE };

// `permission` is what the browser remembers for this page: "granted", "denied", "prompt", or "" if it does not say.
export function explainError(error, browser, permission) {
  const isAllowed = permission === "granted";
  if (error instanceof NoAnswerError) return isAllowed ? new MicrophoneError(NO_ANSWER) : makeUnanswered(browser);
  if (error?.name !== "NotAllowedError") return new MicrophoneError(TEXTS[error?.name] ?? OTHER);
  if (/system/i.test(error.message)) return new MicrophoneError(BLOCKED_BY_SYSTEM);
  if (permission === "prompt") return new MicrophoneError(CLOSED, listQuestionSteps(browser));
  return new MicrophoneError(BLOCKED, listBlockedSteps(browser));
}

export const makeUnanswered = (browser) => new MicrophoneError(UNANSWERED, listQuestionSteps(browser));
