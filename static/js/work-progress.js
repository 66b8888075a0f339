// Shows long work in the tab's title, and announces it to screen readers at a quarter, half and three quarters.
//
// An element with `data-work` is work under way: `data-title` is the title of the tab while it lasts, `data-text` what
// is announced, `data-percent` how much is done. An element with `data-work-result` is its end. htmx replaces both.

const MILESTONE = 25; // percent

const ownTitle = document.title;
const suffix = ` · ${ownTitle.split(" · ").at(-1)}`;
const works = new Map();
const milestones = new Map();
let result = "";

const announcer = Object.assign(document.createElement("div"), { className: "visually-hidden" });
announcer.setAttribute("role", "status");
document.body.append(announcer);

function showTitle() {
  const [first] = works.values();
  const title = works.size > 1 ? `(${works.size}) Running` : first;
  document.title = title || result ? `${title || result}${suffix}` : ownTitle;
}

export function showWork(key, title, text, percent) {
  works.set(key, title);
  result = "";
  const milestone = `${title.replace(/^\(.*?\) /, "")} ${Math.floor((percent || 0) / MILESTONE)}`;
  if (milestones.get(key) !== milestone) announcer.textContent = text;
  milestones.set(key, milestone);
  showTitle();
}

// The result stays in the title until the user looks at the page or does something there.
export function endWork(key, title) {
  if (!works.delete(key)) return;
  milestones.delete(key);
  result = title;
  if (title) announcer.textContent = title;
  showTitle();
}

function forgetResult() {
  if (!result) return;
  result = "";
  showTitle();
}

function readPage() {
  const shown = new Set();
  for (const { dataset } of document.querySelectorAll("[data-work]")) {
    shown.add(dataset.work);
    showWork(dataset.work, dataset.title, dataset.text, Number(dataset.percent));
  }
  for (const { dataset } of document.querySelectorAll("[data-work-result]")) endWork(dataset.workResult, dataset.title);
  for (const key of works.keys()) if (!shown.has(key) && !key.startsWith("upload")) endWork(key, "");
}

document.addEventListener("htmx:afterSettle", readPage);
document.addEventListener("visibilitychange", () => document.hidden || forgetResult());
document.addEventListener("pointerdown", forgetResult);
document.addEventListener("keydown", forgetResult);
readPage();
