// Small manners of every page of the studio.

// A menu closes on Escape and on a click beside it.
for (const menu of document.querySelectorAll("details[data-menu]")) {
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target)) menu.open = false;
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
}

// A form is sent once, however often its button is pressed; coming back to the page makes it usable again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post" || event.defaultPrevented) return;
  if (form.dataset.sent) event.preventDefault();
  form.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// What comes in has no style attributes, and the policy forbids to copy that of a text box whose size was changed.
if (window.htmx) window.htmx.config.attributesToSettle = ["class"];

// What somebody has opened or closed stays so when the part of the page that it stands in comes anew.
let folds = new Map();
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  folds = new Map([...detail.target.querySelectorAll("details[id]")].map(({ id, open }) => [id, open]));
});
document.addEventListener("htmx:afterSwap", () => {
  for (const [id, open] of folds) document.getElementById(id)?.toggleAttribute("open", open);
});

// A link that is shown once is easily copied.
for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).value);
    button.textContent = "Copied";
  });
}
