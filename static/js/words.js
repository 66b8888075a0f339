// The statement as it was heard: the word that sounds is marked, and the words are one stop for the Tab key, with the
// arrow keys between them.
const playable = (words) => [...words.querySelectorAll("[data-at]")];

function makeOneStop(root) {
  for (const words of root.querySelectorAll("[data-words]")) {
    playable(words).forEach((word, place) => (word.tabIndex = place ? -1 : 0));
  }
}

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity };

document.addEventListener("keydown", (event) => {
  const words = event.target.closest?.("[data-words]");
  const step = STEPS[event.key];
  if (!words || !step) return;
  event.preventDefault();
  const all = playable(words);
  const next = all[Math.min(all.length - 1, Math.max(0, all.indexOf(event.target) + step))];
  event.target.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
});

// "timeupdate" does not bubble, but is seen on its way down.
document.addEventListener(
  "timeupdate",
  ({ target: audio }) => {
    const words = audio.closest("[data-sound]")?.querySelector("[data-words]");
    if (!words) return;
    const now = playable(words).findLast((word) => Number(word.dataset.at) <= audio.currentTime);
    for (const word of words.querySelectorAll(".word-now")) if (word !== now) word.classList.remove("word-now");
    if (!audio.paused) now?.classList.add("word-now");
  },
  true,
);

makeOneStop(document);
document.addEventListener("htmx:load", (event) => makeOneStop(event.target.parentElement));
