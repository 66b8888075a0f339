// Each row and each column of the matrix in a form of requests has a box that ticks all its boxes, or clears them. The
// form for many talents says how many requests the ticks make at most.
// htmx replaces the form's part with the boxes after each change, so these boxes are made once more.
const ROWS = "tbody tr";

function listBoxes(heading) {
  const row = heading.closest(ROWS);
  const cells = row ? [...row.cells] : [...heading.closest("table").querySelectorAll(ROWS)].map((one) => one.cells[heading.cellIndex]);
  return cells.flatMap((cell) => [...(cell?.querySelectorAll("input[name=use]:enabled") ?? [])]);
}

const areTicked = (boxes) => boxes.every((box) => box.checked);

function tickAll(heading) {
  const boxes = listBoxes(heading);
  const isTicked = !areTicked(boxes);
  for (const box of boxes) box.checked = isTicked;
  // One event for all of them: the form asks for one new summary.
  boxes[0]?.dispatchEvent(new Event("change", { bubbles: true }));
}

function makeBox(heading) {
  const label = Object.assign(document.createElement("label"), { className: "use-all" });
  const box = Object.assign(document.createElement("input"), { type: "checkbox", className: "form-check-input" });
  box.setAttribute("aria-label", `All of ${heading.firstChild.textContent.trim()}`);
  box.addEventListener("change", (event) => {
    event.stopPropagation();
    tickAll(heading);
  });
  label.append(box, "All");
  heading.append(label);
}

function showBoxes() {
  for (const heading of document.querySelectorAll(".use-matrix :is(thead th + th, tbody th)")) {
    const boxes = listBoxes(heading);
    if (!boxes.length) continue;
    if (!heading.querySelector(".use-all")) makeBox(heading);
    const all = heading.querySelector(".use-all input");
    all.checked = areTicked(boxes);
    all.indeterminate = !all.checked && boxes.some((box) => box.checked);
  }
  showSum();
}

const format = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

function showSum() {
  const sum = document.querySelector("[data-request-sum]");
  if (!sum) return;
  const uses = document.querySelectorAll(".use-matrix input[name=use]:checked").length;
  const talents = document.querySelectorAll("input[name=talent]:checked").length;
  sum.hidden = !uses || !talents;
  sum.textContent = `At most ${format(uses * talents, "request")} to ${format(talents, "talent")}`;
}

// A button with the number of a preview no longer has it once the form differs from that preview.
function forgetPreview() {
  for (const button of document.querySelectorAll("[data-changed]")) button.textContent = button.dataset.changed;
}

document.addEventListener("change", (event) => {
  showBoxes();
  if (event.target.closest(".request-form")) forgetPreview();
});
document.addEventListener("htmx:afterSwap", showBoxes);
addEventListener("pageshow", showBoxes);
showBoxes();
