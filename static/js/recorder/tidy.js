// On the talent's pages: deletes recordings that were kept in this browser for more than 24 hours.
import { drop, kept } from "./keep.js";

kept("");

// Who declines does not want to find the recording here again.
for (const form of document.querySelectorAll("form[data-forget]")) {
  form.addEventListener("submit", () => drop(form.dataset.forget));
}
