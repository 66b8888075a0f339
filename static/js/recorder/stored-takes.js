// On the talent's pages: shows that this browser stores takes that were not sent. Deletes them after 24 hours.
import { deleteTake, loadTake } from "./take-store.js";

loadTake("");

for (const note of document.querySelectorAll("[data-unsent-take]")) {
  loadTake(note.dataset.unsentTake).then((take) => (note.hidden = !take));
}

// Deletes the take when the talent declines, so that the browser keeps no recording of them.
for (const form of document.querySelectorAll("form[data-delete-take]")) {
  form.addEventListener("submit", () => deleteTake(form.dataset.deleteTake));
}
