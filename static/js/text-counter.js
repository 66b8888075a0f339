// Says under a text field with [data-count] how much of its longest text is used. Without this script, the page says
// only how long the text may be.
const format = new Intl.NumberFormat("en-US");

function showCount(field) {
  const counter = document.getElementById(field.dataset.count);
  if (!counter) return;
  const length = field.value ? `${format.format(field.value.length)} of` : "Up to";
  counter.textContent = `${length} ${format.format(field.maxLength)} characters`;
}

const showCounts = () => document.querySelectorAll("[data-count]").forEach(showCount);

document.addEventListener("input", ({ target }) => target.matches?.("[data-count]") && showCount(target));
document.addEventListener("htmx:oobAfterSwap", showCounts);
showCounts();
