// Completes the rows of the table of recordings: what only a script uses, and what a page of 50 rows would repeat.
// Each row gets its id, its play button, and its waveform, which the page has as one digit a bar.
const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 9;

function makePath(digits) {
  return [...digits].map((size, bar) => `M${bar + 0.5} ${(HEIGHT - size) / 2}v${size}`).join("");
}

function makeWave(digits) {
  const wave = document.createElementNS(SVG, "svg");
  wave.setAttribute("viewBox", `0 0 ${digits.length} ${HEIGHT}`);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", makePath(digits));
  wave.append(path);
  return wave;
}

function makePlayButton(name) {
  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-label", `Play ${name}`);
  return button;
}

export function prepareRows() {
  for (const row of document.querySelectorAll(".row-table tbody > tr:not(.details, .is-prepared)")) {
    row.classList.add("is-prepared");
    row.id = `row-${row.querySelector("[name=recording]").value}`;
    const play = row.querySelector("[data-play]");
    play?.append(makePlayButton(row.querySelector("th a").textContent.trim()));
    const cell = row.querySelector("[data-wave]");
    cell?.append(makeWave(cell.dataset.wave));
  }
}

document.addEventListener("htmx:load", prepareRows);
prepareRows();
