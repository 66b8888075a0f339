// On the talent's pages: points out takes that this browser stores unsent, and deletes them after 24 hours.
import { deleteTake, loadTake } from "./take-store.js";

loadTake("");

for (const note of document.querySelectorAll("[data-unsent-take]")) {
  loadTake(note.dataset.unsentTake).then((take) => (note.hidden = !take));
}

// A talent who declines does not want to find the recording here again.
for (const form of document.querySelectorAll("form[data-delete-take]")) {
  form.addEventListener("submit", () => deleteTake(form.dataset.deleteTake));
}
