// Text that the server does not have: its mark, the warning before the page is left, and a copy that outlives the page.
//
// The copy is in sessionStorage, so it ends with the tab. It names its user and is never shown to another one. Fields
// for passwords, keys and files are not copied.
import { user } from "./session.js";
import { useSessionStorage } from "./storage.js";

const TEXT_FIELDS = "textarea, input[type=text], input[type=email], input[type=tel], input[type=url], input:not([type])";
const PREFIX = "unsaved-text:";

let isLeaveAllowed = false;

export const isText = (field) => field.matches(TEXT_FIELDS) && !field.readOnly && !("secret" in field.dataset);
export const isUnsaved = (field) => isText(field) && field.value !== field.defaultValue;

// Only fields of forms that change something: a search is not text that can be lost.
export function listUnsavedFields(root = document) {
  return [...root.querySelectorAll(TEXT_FIELDS)].filter(
    (field) => field.form?.method === "post" && !("sent" in field.form.dataset) && isUnsaved(field),
  );
}

export function getFieldKey(field) {
  return field.id || `${new URL(field.form.action, location.href).pathname}:${field.name}`;
}

// --- The mark "Not saved" ---

const isSavedAlone = (form) => form.hasAttribute("hx-post");

export function markUnsaved(field) {
  if (field.dataset.unsaved) return;
  field.dataset.unsaved = "yes";
  for (const note of field.form.querySelectorAll("[data-saved]")) note.remove();
  const mark = Object.assign(document.createElement("span"), { className: "unsaved-mark" });
  mark.append(Object.assign(document.createElement("span"), { textContent: "Not saved" }));
  if (isSavedAlone(field.form)) mark.append(createSaveButton(field));
  field.after(mark);
}

function createSaveButton(field) {
  const button = Object.assign(document.createElement("button"), { type: "submit", className: "btn btn-sm" });
  button.textContent = "Save";
  button.setAttribute("aria-label", `Save ${describeField(field)}`);
  return button;
}

export function clearMark(field) {
  delete field.dataset.unsaved;
  if (field.nextElementSibling?.matches(".unsaved-mark")) field.nextElementSibling.remove();
  forgetText(field);
}

export function describeField(field) {
  return field.getAttribute("aria-label") ?? field.labels?.[0]?.textContent.trim() ?? "the text";
}

// --- The copy ---

const makeCopyKey = (field) => `${PREFIX}${location.pathname}#${getFieldKey(field)}`;

export function storeUnsavedTexts() {
  if (!user) return;
  for (const field of listUnsavedFields()) {
    const version = field.form.elements.version?.value ?? "";
    const copy = JSON.stringify({ user, value: field.value, version });
    useSessionStorage((storage) => storage.setItem(makeCopyKey(field), copy));
  }
}

function removeCopy(key) {
  useSessionStorage((storage) => storage.removeItem(key));
}

const forgetText = (field) => removeCopy(makeCopyKey(field));

function listCopies(start) {
  const keys = useSessionStorage((storage) => Object.keys(storage)) ?? [];
  return keys.filter((key) => key.startsWith(start));
}

// The keys of the fields of this page that have a copy.
export function listStoredFields() {
  const start = `${PREFIX}${location.pathname}#`;
  return listCopies(start).map((key) => key.slice(start.length));
}

export function forgetEverything() {
  useSessionStorage((storage) => storage.clear());
}

// Puts the copies of this page back into their fields. A copy of another user is deleted.
export function restoreTexts(root = document) {
  if (!user) return;
  for (const key of listCopies(PREFIX)) {
    const copy = useSessionStorage((storage) => JSON.parse(storage.getItem(key)));
    if (copy?.user === user) restoreText(root, key, copy);
    else removeCopy(key);
  }
}

function restoreText(root, key, copy) {
  const field = [...root.querySelectorAll(TEXT_FIELDS)].find((one) => one.form && makeCopyKey(one) === key);
  if (!field) return;
  if (field.value === copy.value) return removeCopy(key);
  field.value = copy.value;
  if (copy.version && field.form.elements.version) field.form.elements.version.value = copy.version;
  markUnsaved(field);
}

// --- Leaving the page ---

// The copies are made first, so nothing is lost and the browser need not ask.
export function allowLeaving() {
  storeUnsavedTexts();
  isLeaveAllowed = true;
}

window.addEventListener("beforeunload", (event) => {
  if (!isLeaveAllowed && listUnsavedFields().length) event.preventDefault();
});

// "Saved" is true until the text changes again.
document.addEventListener("input", ({ target }) => {
  for (const note of target.form?.querySelectorAll("[data-saved]") ?? []) note.remove();
});
