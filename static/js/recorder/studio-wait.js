// While the studio cannot be reached: asks on a timer whether it answers again. The browser's `online` event does not
// come when only the studio or the way to it was gone.
import { limitTime } from "./time-limit.js";

const DELAYS_MS = [3000, 5000, 10000, 20000, 30000];
const ANSWER_LIMIT_MS = 10000;
const FIRST_GATEWAY_STATUS = 502; // 502 to 504 come from a gateway that cannot reach the studio

// Whether the studio answers at all. What it answers to the upload is for the upload to find out.
async function isStudioBack() {
  const options = { method: "HEAD", cache: "no-store", redirect: "manual" };
  try {
    const { status } = await limitTime(fetch(location.href, options), ANSWER_LIMIT_MS, () => new Error("late"));
    return status < FIRST_GATEWAY_STATUS;
  } catch {
    return false;
  }
}

export class StudioWait {
  // `onBack()` is called once after each `start()`, unless `stop()` comes first.
  constructor(onBack) {
    this.onBack = onBack;
    this.attempts = 0;
    this.timer = null;
  }

  get isWaiting() {
    return this.timer !== null;
  }

  // The delays grow from one start to the next too: an upload that fails each time must not be sent every few seconds.
  start() {
    this.stop();
    const delay = DELAYS_MS[Math.min(this.attempts, DELAYS_MS.length - 1)];
    this.attempts += 1;
    const timer = setTimeout(() => this.ask(timer), delay);
    this.timer = timer;
  }

  async ask(timer) {
    const isBack = await isStudioBack();
    if (timer !== this.timer) return; // stopped or started again meanwhile
    if (isBack) this.finish();
    else this.start();
  }

  // The browser has a network again.
  finish() {
    if (!this.isWaiting) return;
    this.stop();
    this.onBack();
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = null;
  }

  // A person presses a button: the next wait begins with short delays.
  reset() {
    this.stop();
    this.attempts = 0;
  }
}
