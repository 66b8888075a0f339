// The selected rows of a list with a bar of actions: the box for the whole page, ranges, and how many are selected.
// The bar works without it, because its form has the boxes of the rows.
const form = document.getElementById("bulk");
const boxes = [...document.querySelectorAll("tbody input[type=checkbox][form=bulk]")];
const allBox = form?.elements.namedItem("all");
const counter = form?.querySelector("[data-selection-count]");
const status = Object.assign(document.createElement("p"), { className: "visually-hidden" });
let rangeStart = null;

const countSelected = () => (allBox?.checked ? Number(form.dataset.total) : boxes.filter((box) => box.checked).length);

function show() {
  const count = countSelected();
  const pageCount = boxes.filter((box) => box.checked).length;
  pageBox.checked = pageCount > 0 && pageCount === boxes.length;
  pageBox.indeterminate = pageCount > 0 && pageCount < boxes.length;
  counter.hidden = false;
  counter.textContent = `${count.toLocaleString("en")} selected`;
}

function update() {
  show();
  const count = countSelected();
  const noun = `${form.dataset.noun}${count === 1 ? "" : "s"}`;
  status.textContent = count ? `${count} ${noun} selected. Actions are below the table.` : `No ${form.dataset.noun} selected.`;
}

function makePageBox() {
  const label = document.createElement("label");
  const words = Object.assign(document.createElement("span"), { className: "visually-hidden", textContent: "Select this page" });
  const box = Object.assign(document.createElement("input"), { type: "checkbox", className: "form-check-input" });
  label.append(box, words);
  document.querySelector("thead th.pick")?.replaceChildren(label);
  return box;
}

function selectRange(box) {
  const ends = [boxes.indexOf(rangeStart), boxes.indexOf(box)].sort((a, b) => a - b);
  if (ends[0] < 0) return;
  for (const one of boxes.slice(ends[0], ends[1] + 1)) one.checked = box.checked;
}

const pageBox = makePageBox();
status.setAttribute("role", "status");
document.body.append(status);

for (const box of boxes) {
  box.addEventListener("click", ({ shiftKey }) => {
    if (shiftKey) selectRange(box);
    rangeStart = box;
    if (allBox && !box.checked) allBox.checked = false;
    update();
  });
}
for (const source of [pageBox, allBox].filter(Boolean)) {
  source.addEventListener("change", () => {
    for (const box of boxes) box.checked = source.checked;
    if (allBox && !source.checked) allBox.checked = false;
    update();
  });
}
// The browser clears the boxes of the form right after this event. The box of the page is not in the form.
form?.addEventListener("reset", () => {
  pageBox.checked = pageBox.indeterminate = false;
  setTimeout(() => {
    update();
    pageBox.focus();
  });
});
window.addEventListener("pageshow", show);
