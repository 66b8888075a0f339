// Completes the rows of the table of recordings: what only a script uses, and what a page of 50 rows would repeat.
// Each row gets its id, its play button, and its waveform, which the page has as one digit a bar.
import { makeWave } from "./wave-path.js";

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
