// The recognized words of a statement: highlights the word that is playing. All words together are one stop of the
// Tab key; the arrow keys move between the words.
const findPlayableWords = (transcript) => [...transcript.querySelectorAll("[data-at]")];

function makeOneTabStop(root) {
  for (const transcript of root.querySelectorAll("[data-words]")) {
    findPlayableWords(transcript).forEach((word, index) => (word.tabIndex = index ? -1 : 0));
  }
}

const KEY_STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity };

document.addEventListener("keydown", (event) => {
  const transcript = event.target.closest?.("[data-words]");
  const step = KEY_STEPS[event.key];
  if (!transcript || !step) return;
  event.preventDefault();
  const words = findPlayableWords(transcript);
  const next = words[Math.min(words.length - 1, Math.max(0, words.indexOf(event.target) + step))];
  event.target.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
});

// "timeupdate" does not bubble, so it is caught in the capture phase.
document.addEventListener(
  "timeupdate",
  ({ target: audio }) => {
    const transcript = audio.closest("[data-sound]")?.querySelector("[data-words]");
    if (!transcript) return;
    const current = findPlayableWords(transcript).findLast((word) => Number(word.dataset.at) <= audio.currentTime);
    for (const word of transcript.querySelectorAll(".word-now")) if (word !== current) word.classList.remove("word-now");
    if (!audio.paused) current?.classList.add("word-now");
  },
  true,
);

makeOneTabStop(document);
document.addEventListener("htmx:load", (event) => makeOneTabStop(event.target.parentElement));
