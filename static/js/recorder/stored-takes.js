// On the talent's pages: shows what this browser keeps of recordings that were not sent. Deletes it after 24 hours.
import { deleteTake, findStored } from "./take-store.js";

async function showNote(note) {
  const stored = await findStored(note.dataset.unsent);
  note.hidden = !stored;
  for (const part of note.querySelectorAll("[data-stored]")) part.hidden = part.dataset.stored !== stored;
}

const notes = document.querySelectorAll("[data-unsent]");
if (!notes.length) findStored(""); // deletes what is expired
for (const note of notes) {
  showNote(note);
  note.querySelector("button").addEventListener("click", async () => {
    await deleteTake(note.dataset.unsent);
    showNote(note);
  });
}

// Deletes the take when the talent declines all that it is for, so that the browser keeps no recording of them.
function listDeclinedTakes(form) {
  const ticks = [...form.querySelectorAll("[data-take]")];
  const kept = new Set(ticks.filter((tick) => !tick.checked).map((tick) => tick.dataset.take));
  return new Set([form.dataset.decline, ...ticks.map((tick) => tick.dataset.take)].filter((take) => take && !kept.has(take)));
}

for (const form of document.querySelectorAll("form[data-decline]")) {
  form.addEventListener("submit", () => listDeclinedTakes(form).forEach(deleteTake));
}
