// On the receipt: the talent plays the recording that has arrived.
import { TakePlayer } from "./take-player.js";

const section = document.querySelector("[data-own-recording]");
if (section) {
  const find = (name) => section.querySelector(`[data-part="${name}"]`);
  const names = ["audio", "play", "position", "clock"];
  const onFailure = () => (find("failure").hidden = false);
  const player = new TakePlayer(Object.fromEntries(names.map((name) => [name, find(name)])), { onEnd: () => null, onFailure });
  player.open(section.dataset.ownRecording, Number(section.dataset.seconds));
  find("player").hidden = false;
}
