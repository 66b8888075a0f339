// In the list of talents: a box in the heading that ticks all boxes of the page.
const boxes = [...document.querySelectorAll("tbody input[type=checkbox][name=talent]")];
const heading = document.querySelector("thead th");
const all = Object.assign(document.createElement("input"), { type: "checkbox", className: "form-check-input" });

function show() {
  const count = boxes.filter((box) => box.checked).length;
  all.checked = count > 0 && count === boxes.length;
  all.indeterminate = count > 0 && count < boxes.length;
}

if (boxes.length) {
  const place = Object.assign(document.createElement("span"), { className: "row-pick" });
  all.setAttribute("aria-label", "Choose all on this page");
  place.append(all);
  heading.prepend(place);
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
  });
  for (const box of boxes) box.addEventListener("change", show);
  window.addEventListener("pageshow", show);
}
