// On the talent's pages: deletes takes that have been stored in this browser for more than 24 hours.
import { deleteTake, loadTake } from "./take-store.js";

loadTake("");

// A talent who declines does not want to find the recording here again.
for (const form of document.querySelectorAll("form[data-delete-take]")) {
  form.addEventListener("submit", () => deleteTake(form.dataset.deleteTake));
}
