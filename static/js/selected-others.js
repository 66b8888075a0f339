// The selected recordings that are on other pages of the list. They stay selected as long as the list has the same
// filter and search, also when the page is loaded again, and reach the server in the field "others" of the form.
import { useSessionStorage } from "./storage.js";

const STORE = "selected-recordings";

const getForm = () => document.getElementById("bulk");
// The address of the rows that are shown: it differs between two pages of the list, and not between two states of one.
const getPage = () => document.getElementById("recordings")?.getAttribute("hx-get") ?? "";

let others = new Set();
let scope = null;
let page = "";

// The filter and the search of the list, without its order and size. Null if the list is empty.
export function getScope() {
  const form = getForm();
  if (!form) return null;
  const query = new URLSearchParams(form.elements.filter.value);
  return JSON.stringify([query.get("show"), query.get("q")]);
}

export const readOthers = () => [...others];

export function clearOthers() {
  others.clear();
}

// Writes the selection into the form and into the storage of this tab. `selected` has the rows of this page.
export function saveOthers(selected, isAll) {
  const field = getForm()?.elements.namedItem("others");
  if (!field) return;
  field.value = readOthers().join();
  field.disabled = isAll || !others.size;
  const stored = { path: location.pathname, scope: getScope(), page: getPage(), here: [...selected], others: readOthers() };
  const isEmpty = isAll || !(selected.size + others.size);
  useSessionStorage((storage) => (isEmpty ? storage.removeItem(STORE) : storage.setItem(STORE, JSON.stringify(stored))));
}

// Returns which of the rows of the new table (`ids`) are selected, if `selected` had the rows of the table before.
// A row that has left its page is no longer selected: it may have left the filter.
export function restoreOthers(selected, ids) {
  if (!getForm()) return new Set();
  const isSameList = getScope() === scope;
  if (!isSameList) others.clear();
  else if (getPage() !== page) others = new Set([...others, ...selected]);
  scope = getScope();
  page = getPage();
  const chosen = new Set(ids.filter((id) => selected.has(id) || others.has(id)));
  for (const id of ids) others.delete(id);
  return chosen;
}

// What this tab had selected before the page was loaded. Returns the rows of the page that was shown then.
export function loadOthers() {
  const stored = useSessionStorage((storage) => JSON.parse(storage.getItem(STORE)));
  if (stored?.path !== location.pathname) return new Set();
  ({ scope, page } = stored);
  others = new Set(stored.others);
  return new Set(stored.here);
}

// The page is left for one that acts on the selection, after which its recordings may be gone.
export function forgetOthers() {
  useSessionStorage((storage) => storage.removeItem(STORE));
}
