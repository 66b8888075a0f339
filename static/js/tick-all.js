// A tick for one purpose at all providers. It sets the single ticks, which alone are sent, and shows whether all, some or
// none of them are set. Without this script, there are only the single ticks.
import { formatNumber, translate } from "./translate.js";

function connect(all) {
  const singles = all
    .getAttribute("aria-controls")
    .split(" ")
    .map((id) => document.getElementById(id));
  const row = all.closest(".tick");

  function show() {
    const count = singles.filter((single) => single.checked).length;
    all.checked = count === singles.length;
    all.indeterminate = count > 0 && !all.checked;
    const values = { count: formatNumber(count), total: formatNumber(singles.length) };
    row.querySelector("[data-tick-count]").textContent = translate("Ticked: {count} of {total}", values);
  }

  all.addEventListener("change", () => {
    for (const single of singles) single.checked = all.checked;
    show();
  });
  for (const single of singles) single.addEventListener("change", show);
  addEventListener("pageshow", show); // a browser that goes back sets the single ticks again
  show();
  row.hidden = false;
}

for (const all of document.querySelectorAll("[data-tick-all]")) connect(all);
