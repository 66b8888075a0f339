// The bar of a long form says how many required fields are empty, and leads to the first of them.
const line = document.querySelector("[data-required-left]");
const form = line.closest("form");
const count = line.querySelector("[data-count]");
const link = line.querySelector("[data-first]");

const isFilled = (control) => (/^(checkbox|radio)$/.test(control.type) ? control.checked && control.value : control.value.trim());

function listControls(label) {
  const field = label.tagName === "LEGEND" ? label.parentElement : label.closest(".mb-3");
  return [...field.querySelectorAll("input, select, textarea")].filter((control) => !control.matches(":disabled"));
}

function findEmpty() {
  return [...form.querySelectorAll("label.required, legend.required")].filter(
    (label) => !listControls(label).some(isFilled),
  );
}

function update() {
  const empty = findEmpty();
  count.textContent = empty.length
    ? `${empty.length} ${empty.length === 1 ? "field" : "fields"} left. Next:`
    : "All required fields are filled.";
  link.hidden = !empty.length;
  link.textContent = empty.length ? empty[0].textContent.trim() : "";
  line.hidden = false;
}

link.addEventListener("click", (event) => {
  event.preventDefault();
  const [first] = findEmpty();
  if (!first) return;
  first.scrollIntoView({ block: "center" });
  listControls(first)[0].focus({ preventScroll: true });
});

for (const kind of ["input", "change", "invalid"]) form.addEventListener(kind, update, { capture: true });
window.addEventListener("pageshow", update);
update();
