// What every staff page needs: menus, forms, <details> elements, copy buttons.

// A menu closes on Escape and on a click outside it.
const OPEN_MENU = "details[data-menu][open]";
document.addEventListener("click", ({ target }) => {
  for (const menu of document.querySelectorAll(OPEN_MENU)) if (!menu.contains(target)) menu.open = false;
});
document.addEventListener("keydown", ({ key, target }) => {
  const menu = target.closest?.(OPEN_MENU);
  if (key !== "Escape" || !menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// In a narrow window, tabs and filters scroll sideways. The current one is in view, also once the font has its final
// width.
const SCROLLED = ".vh-tabs, .row-filters, .import-parts";
function showCurrentTabs() {
  for (const tab of document.querySelectorAll(`:is(${SCROLLED}) [aria-current]`)) {
    const tabs = tab.closest(SCROLLED);
    tabs.scrollLeft = tab.offsetLeft - tabs.offsetLeft - (tabs.clientWidth - tab.offsetWidth) / 2;
  }
}
showCurrentTabs();
document.fonts.ready.then(showCurrentTabs);
matchMedia("(max-width: 40em)").addEventListener("change", showCurrentTabs);
document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (target.closest?.(SCROLLED) || target.querySelector?.(SCROLLED)) showCurrentTabs();
});

// A line that scrolls sideways is faded on the side that has more.
function markMore(line) {
  line.classList.toggle("has-before", line.scrollLeft > 1);
  line.classList.toggle("has-no-more", line.scrollLeft + line.clientWidth >= line.scrollWidth - 1);
}
const markAll = () => document.querySelectorAll(SCROLLED).forEach(markMore);
markAll();
document.fonts.ready.then(markAll);
window.addEventListener("resize", markAll);
document.addEventListener("htmx:afterSettle", markAll);
const markScrolled = ({ target }) => target.matches?.(SCROLLED) && markMore(target);
document.addEventListener("scroll", markScrolled, { capture: true, passive: true });

// A form is submitted once, even if its button is pressed twice. Coming back to the page enables the button again.
// A download leaves the page as it is, so that its form can be sent again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) event.preventDefault();
  if (!event.submitter?.matches("[data-download]")) form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// The Content-Security-Policy forbids style attributes: htmx must not copy the size of a resized text box.
if (window.htmx) window.htmx.config.attributesToSettle = ["class"];

// A <details> stays open or closed when htmx replaces the part of the page that contains it.
let openStates = new Map();
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  openStates = new Map([...detail.target.querySelectorAll("details[id]")].map(({ id, open }) => [id, open]));
});
document.addEventListener("htmx:afterSwap", () => {
  for (const [id, open] of openStates) document.getElementById(id)?.toggleAttribute("open", open);
});

// What a person has chosen or typed in a part with [data-keep-fields] stays when htmx replaces the part.
let changedFields = new Map();
const hasChoice = (field) => field.type === "checkbox" || field.type === "radio";
const isChanged = (field) => {
  if (hasChoice(field)) return field.checked !== field.defaultChecked;
  if (field.options) return [...field.options].some((option) => option.selected !== option.defaultSelected);
  return field.value !== field.defaultValue;
};
const listFields = (part) => [...part.querySelectorAll("input:not([type=hidden]), select, textarea")];
const describeField = (field) => `${field.closest("[id]").id} ${field.name} ${hasChoice(field) ? field.value : ""}`;
document.addEventListener("htmx:beforeSwap", ({ detail: { target } }) => {
  const fields = target.matches("[data-keep-fields]") ? listFields(target).filter(isChanged) : [];
  changedFields = new Map(fields.map((field) => [describeField(field), field]));
});
document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  for (const field of changedFields.size ? listFields(target) : []) {
    const before = changedFields.get(describeField(field));
    if (before && hasChoice(field)) field.checked = before.checked;
    else if (before) field.value = before.value;
  }
  changedFields.clear();
});

// A copy button for a link that is shown once.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
    button.textContent = "Copied";
  });
}

// A link to a fold opens it.
document.addEventListener("click", ({ target }) => {
  const link = target.closest?.('a[href^="#"]');
  const fold = link && document.getElementById(link.hash.slice(1));
  if (fold instanceof HTMLDetailsElement) fold.open = true;
});

// Long parts are open in a wide window and without a script, and closed on a phone.
function closeLongParts(root) {
  if (!matchMedia("(max-width: 40em)").matches) return;
  for (const fold of root.querySelectorAll("details[data-closed-if-narrow]")) fold.open = false;
}
closeLongParts(document);
document.addEventListener("htmx:load", ({ detail: { elt } }) => closeLongParts(elt));
