// Keeps the focus where it was when htmx replaces the part of the page that has it. htmx itself finds only elements with
// an id again. Without this, a person at the keyboard would start at the top of the page after each poll.

const NAMES = ["name", "value", "type", "href", "aria-label", "formaction"];

let place = null; // where the focus was in a part of the page that is being replaced

const describe = (one) => [one.tagName, ...NAMES.map((name) => one.getAttribute(name))].join("\n");
const readText = (one) => one.textContent.trim();
// A person may also leave every control, by a click beside them: then the control is still there.
const isLost = () => place && !place.one.isConnected && document.activeElement === document.body;

function listAlike(scope, description) {
  const [tag] = description.split("\n");
  return [...scope.querySelectorAll(tag)].filter((one) => describe(one) === description);
}

function remember(target) {
  const one = document.activeElement;
  if (!target?.contains?.(one) || one === document.body) return;
  const scope = one.parentElement?.closest("[id]") ?? document.body;
  const description = describe(one);
  const ids = [];
  for (let part = scope; part; part = part.parentElement) if (part.id) ids.push(part.id);
  place = { one, ids, description, text: readText(one), number: listAlike(scope, description).indexOf(one) };
}

function findAgain({ ids, description, text, number }) {
  const scope = document.getElementById(ids[0]) ?? document.body;
  const alike = listAlike(scope, description);
  const named = alike.filter((one) => readText(one) === text);
  return named.length === 1 ? named[0] : (alike[number] ?? named[0]);
}

function restore() {
  if (isLost()) findAgain(place)?.focus({ preventScroll: true });
}

// The control may be gone because it has done its work: then the focus goes to the part of the page around it.
function settle() {
  restore();
  if (isLost()) {
    const part = place.ids.map((id) => document.getElementById(id)).find(Boolean) ?? document.getElementById("content");
    if (part && !part.hasAttribute("tabindex")) part.tabIndex = -1;
    part?.focus({ preventScroll: true });
  }
  place = null;
}

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (place?.one.isConnected) place = null; // an earlier swap has replaced something else
  if (detail.shouldSwap) remember(detail.target);
});
document.addEventListener("htmx:oobBeforeSwap", ({ detail }) => detail.shouldSwap && remember(detail.target));
document.addEventListener("htmx:afterSwap", restore);
document.addEventListener("htmx:oobAfterSwap", restore);
document.addEventListener("htmx:afterSettle", settle);
