// Each row and each column of the matrix in a form of requests has a button that ticks all its boxes, or clears them.
// htmx replaces the form's part with the boxes after each change, so the buttons are made once more.
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

function makeButton(heading) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "use-all" });
  const label = heading.firstChild.textContent.trim();
  const name = Object.assign(document.createElement("span"), { className: "visually-hidden", textContent: ` for ${label}` });
  button.append(document.createElement("span"), name);
  button.addEventListener("click", () => tickAll(heading));
  heading.append(button);
}

function showButtons() {
  for (const heading of document.querySelectorAll(".use-matrix :is(thead th + th, tbody th)")) {
    const boxes = listBoxes(heading);
    if (!boxes.length) continue;
    if (!heading.querySelector(".use-all")) makeButton(heading);
    heading.querySelector(".use-all span").textContent = areTicked(boxes) ? "None" : "All";
  }
}

// A button with the number of a preview no longer has it once the form differs from that preview.
function forgetPreview() {
  for (const button of document.querySelectorAll("[data-changed]")) button.textContent = button.dataset.changed;
}

document.addEventListener("change", (event) => {
  showButtons();
  if (event.target.closest(".request-form")) forgetPreview();
});
document.addEventListener("htmx:afterSwap", showButtons);
addEventListener("pageshow", showButtons);
showButtons();
