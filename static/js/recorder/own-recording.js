// On the receipt and on the first page: the talent plays a recording that has arrived, one at a time.
import { TakePlayer } from "./take-player.js";

const PARTS = ["audio", "play", "position", "clock", "bars", "played"];

function connect(section) {
  const find = (name) => section.querySelector(`[data-part="${name}"]`);
  const onFailure = () => (find("failure").hidden = false);
  const parts = Object.fromEntries(PARTS.map((name) => [name, find(name)]));
  const player = new TakePlayer(parts, { onEnd: () => null, onFailure });
  player.open(section.dataset.ownRecording, Number(section.dataset.seconds));
  parts.audio.addEventListener("play", () => pauseOthers(player));
  find("player").hidden = false;
  return player;
}

function pauseOthers(playing) {
  for (const player of players) if (player !== playing) player.pause();
}

const players = [...document.querySelectorAll("[data-own-recording]")].map(connect);
