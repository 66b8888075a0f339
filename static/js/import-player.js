// Plays the clips of an import, one at a time. A button names the address of its sound.
import { describeFailure } from "./player.js";
import { showToast } from "./toasts.js";

const audio = Object.assign(new Audio(), { preload: "none" });
audio.dataset.rows = "";
let url = "";

function showState() {
  for (const button of document.querySelectorAll("[data-import-play]")) {
    button.setAttribute("aria-pressed", String(!audio.paused && button.dataset.importPlay === url));
  }
}

document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-import-play]");
  if (!button) return;
  if (button.dataset.importPlay === url && !audio.paused) {
    audio.pause();
    return;
  }
  if (button.dataset.importPlay !== url) audio.src = url = button.dataset.importPlay;
  audio.play().catch(() => {}); // if the browser refuses to play, the button does not change
});

audio.addEventListener("play", showState);
audio.addEventListener("pause", showState);
audio.addEventListener("error", async () => {
  if (!url) return;
  const failed = url;
  url = "";
  showState();
  showToast("import-player", await describeFailure(failed));
});
