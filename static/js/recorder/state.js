// The steps of the recorder and the allowed transitions between them.

export const Step = {
  SETUP: "setup", // the microphone is not open yet
  READY: "ready",
  RECORDING: "recording",
  PROCESSING: "processing", // the WAV file is being made
  REVIEW: "review", // the talent listens before sending
  SENDING: "sending",
  SENT: "sent",
};

const MOVES = {
  [Step.SETUP]: [Step.READY, Step.REVIEW],
  [Step.READY]: [Step.SETUP, Step.RECORDING, Step.REVIEW],
  [Step.RECORDING]: [Step.PROCESSING],
  [Step.PROCESSING]: [Step.SETUP, Step.REVIEW],
  [Step.REVIEW]: [Step.SETUP, Step.READY, Step.SENDING],
  [Step.SENDING]: [Step.SETUP, Step.READY, Step.REVIEW, Step.SENT],
  [Step.SENT]: [],
};

export class RecorderState {
  // `onChange(step)` is called after each transition.
  constructor(onChange) {
    this.step = Step.SETUP;
    this.onChange = onChange;
  }

  is(step) {
    return this.step === step;
  }

  moveTo(step) {
    if (step !== this.step && !MOVES[this.step].includes(step)) {
      throw new Error(`The recorder cannot move from ${this.step} to ${step}.`);
    }
    this.step = step;
    this.onChange(step);
  }
}
