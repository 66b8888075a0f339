// A box that ticks all talents of a page: in the heading of their list, or above the chosen ones of a form.
const boxes = [...document.querySelectorAll("input[type=checkbox][name=talent]")];
const own = document.querySelector("[data-all-talents]");
const all = own?.querySelector("input") ?? makeBox();

function makeBox() {
  const box = Object.assign(document.createElement("input"), { type: "checkbox", className: "form-check-input" });
  box.setAttribute("aria-label", "Choose all on this page");
  return box;
}

function show() {
  const count = boxes.filter((box) => box.checked).length;
  all.checked = count > 0 && count === boxes.length;
  all.indeterminate = count > 0 && count < boxes.length;
}

if (boxes.length) {
  if (own) {
    own.hidden = false;
  } else {
    const place = Object.assign(document.createElement("span"), { className: "row-pick" });
    place.append(all);
    document.querySelector("thead th").prepend(place);
  }
  all.addEventListener("change", () => {
    for (const box of boxes) box.checked = all.checked;
  });
  for (const box of boxes) box.addEventListener("change", show);
  window.addEventListener("pageshow", show);
}
