// Keeps what was typed into a form that is sent as a page, until the server has it: the user may be signed out, or the
// connection may be lost. The copy is put back when the form is shown again.
import { here, user } from "./session.js";
import { useSessionStorage } from "./storage.js";
import { showToast } from "./toasts.js";
import { forgetEverything, isText, markUnsaved } from "./unsaved.js";

const KEY = "sent-form";
const SKIPPED_TYPES = ["password", "file", "hidden", "submit", "button", "image", "reset"];

const visit = performance.getEntriesByType("navigation")[0];

const readCopy = () => useSessionStorage((storage) => JSON.parse(storage.getItem(KEY)));

function writeCopy(copy) {
  useSessionStorage((storage) => (copy ? storage.setItem(KEY, JSON.stringify(copy)) : storage.removeItem(KEY)));
}

const isKept = (field) => field.name && !SKIPPED_TYPES.includes(field.type) && !("secret" in field.dataset);

function copyForm(form) {
  const kept = [...form.elements].filter(isKept);
  const fields = kept.map(({ name, value, type, checked }) => ({ name, value, type, checked }));
  return { user, page: here, action: form.getAttribute("action"), fields, isInterrupted: false };
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || !user) return;
  if ("signOut" in form.dataset) return forgetEverything();
  // A download leaves the page as it is, with what was chosen.
  if (navigator.onLine) return event.submitter?.matches("[data-download]") || writeCopy(copyForm(form));
  event.preventDefault();
  delete form.dataset.sent;
  showToast("offline-form", "You are offline. Nothing was sent, and what you typed is still here.", [
    { label: "Try again", run: () => form.requestSubmit(event.submitter) },
  ]);
});

// --- The next page ---

// On the sign-in page: the form was refused. Sign-in leads back to its page, as its address may accept no GET.
function handleSignInPage(copy) {
  if (!copy) return;
  writeCopy({ ...copy, isInterrupted: true });
  const next = document.querySelector("input[name=next]");
  if (next) next.value = copy.page;
}

const findForm = (copy) => [...document.forms].find(
  (form) => form.method === "post" && form.getAttribute("action") === copy.action && hasFields(form, copy),
);
const hasFields = (form, copy) => copy.fields.some(({ name }) => form.elements[name]);

function restoreForm(copy) {
  const form = findForm(copy);
  const changed = form ? copy.fields.filter((kept) => restoreField(form, kept)) : [];
  if (!changed.length) return;
  form.closest("details")?.setAttribute("open", "");
  showToast("restored", "Your last changes are not saved. They are back in the form: check them and save.");
}

// True if the field differs from what the page shows.
function restoreField(form, kept) {
  const field = [...form.elements].find(
    (one) => one.name === kept.name && one.type === kept.type && (!isChoice(one) || one.value === kept.value),
  );
  if (!field || (isChoice(field) ? field.checked === kept.checked : field.value === kept.value)) return false;
  if (isChoice(field)) field.checked = kept.checked;
  else field.value = kept.value;
  if (isText(field)) markUnsaved(field);
  field.dispatchEvent(new Event("change", { bubbles: true }));
  return true;
}

const isChoice = ({ type }) => type === "checkbox" || type === "radio";

// A page that came after the form, without a problem, is the answer to it: the server has what was typed.
export function handleArrival() {
  const copy = readCopy();
  if (!user) return handleSignInPage(copy);
  if (!copy || visit?.responseStatus >= 400) return;
  const isAnswer = visit?.type === "navigate" && !copy.isInterrupted;
  if (copy.user !== user || isAnswer) writeCopy(null);
  else if (copy.page === here) restoreForm(copy);
}
