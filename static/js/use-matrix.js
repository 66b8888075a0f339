// The names of purposes and providers in a form of requests tick all boxes of their row or column, or clear them.
// htmx replaces the form's part with the boxes after each change, so the names become buttons once more.
const ROWS = "tbody tr";

function listBoxes(heading) {
  const row = heading.closest(ROWS);
  const cells = row ? [...row.cells] : [...heading.closest("table").querySelectorAll(ROWS)].map((one) => one.cells[heading.cellIndex]);
  return cells.flatMap((cell) => [...(cell?.querySelectorAll("input[name=use]:enabled") ?? [])]);
}

function tickAll(heading) {
  const boxes = listBoxes(heading);
  const isTicked = boxes.some((box) => !box.checked);
  for (const box of boxes) box.checked = isTicked;
  // One event for all of them: the form asks for one new summary.
  boxes[0]?.dispatchEvent(new Event("change", { bubbles: true }));
}

function makeButton(heading) {
  if (!listBoxes(heading).length) return;
  const button = document.createElement("button");
  const words = Object.assign(document.createElement("span"), { className: "visually-hidden", textContent: "All for " });
  Object.assign(button, { type: "button", className: "use-all", title: "Tick or clear all" });
  button.append(words, ...heading.childNodes);
  button.addEventListener("click", () => tickAll(heading));
  heading.replaceChildren(button);
}

function makeButtons() {
  for (const heading of document.querySelectorAll(".use-matrix :is(thead th + th, tbody th)")) {
    if (!heading.querySelector(".use-all")) makeButton(heading);
  }
}

makeButtons();
document.addEventListener("htmx:afterSwap", makeButtons);
