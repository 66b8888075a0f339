// Refreshes the lists of deletions on a talent's page while one of them has an open deletion. A deletion that a person
// must confirm can take days, so the delay between two requests grows.

const FIRST_DELAY = 2000;
const LONGEST_DELAY = 60000;
const GROWTH = 1.3;

const wait = (delay) => new Promise((resolve) => setTimeout(resolve, delay));
const isOpen = (list) => list.querySelector("[data-open]") !== null;

function showOffline(list, isOffline) {
  const note = list.parentElement.querySelector("[data-offline]");
  if (note) note.hidden = !isOffline;
}

// True if the list changed.
async function refresh(list) {
  const seen = list.querySelector("[data-seen]").dataset.seen;
  const response = await fetch(`${list.dataset.deletions}?seen=${seen}`);
  if (response.status === 204) return false;
  if (!response.ok) throw new Error(`status ${response.status}`);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  list.replaceChildren(...page.body.children);
  return true;
}

async function keepFresh(list) {
  let delay = FIRST_DELAY;
  while (isOpen(list)) {
    await wait(delay);
    delay = Math.min(delay * GROWTH, LONGEST_DELAY);
    if (document.hidden) continue;
    try {
      if (await refresh(list)) delay = FIRST_DELAY;
      showOffline(list, false);
    } catch {
      showOffline(list, true);
    }
  }
}

document.querySelectorAll("[data-deletions]").forEach(keepFresh);
