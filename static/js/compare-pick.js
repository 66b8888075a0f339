// The bar that compares the builds whose checkboxes are on. It says what is missing until they can be compared.
const FEWEST = 2;
const MOST = 4;

function describeProblem(boxes) {
  if (new Set(boxes.map((box) => box.dataset.voice)).size > 1) return "Choose builds of one voice";
  if (boxes.length > MOST) return `Choose at most ${MOST} builds`;
  return boxes.length < FEWEST ? "Choose one more build" : "";
}

function showChoice(form) {
  const boxes = [...form.elements].filter((field) => field.type === "checkbox" && field.checked);
  const problem = describeProblem(boxes);
  form.hidden = boxes.length === 0;
  form.querySelector("[data-compare-note]").textContent = problem || `${boxes.length} builds`;
  form.querySelector("button").disabled = problem !== "";
}

for (const form of document.querySelectorAll("[data-compare-pick]")) {
  showChoice(form);
  document.addEventListener("change", (event) => event.target.form === form && showChoice(form));
  // The browser restores checkboxes after the Back button, without an event.
  window.addEventListener("pageshow", () => showChoice(form));
}
