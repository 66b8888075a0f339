// The search dialog. Its button, Ctrl+K (⌘K) and "/" open it. The arrow keys move through the results, and Enter opens
// one. Enter before there are results submits the form, which leads to the page of the search.
import { describeStatus } from "./failed-requests.js";
import { openSignIn } from "./session.js";

const TYPING_PAUSE = 200;
const LONGEST_WAIT = 30000;
const MIN_CHARACTERS = 2;
const SIGNED_OUT = 401;
const NO_ANSWER = "The server did not answer.";
const KEY_STEPS = { ArrowDown: 1, ArrowUp: -1 };

const dialog = document.getElementById("search");
const field = document.getElementById("search-field");
const list = document.getElementById("search-list");
const status = document.getElementById("search-status");
const hint = status?.textContent;
const buttons = (name) => dialog.querySelector(`[data-search-${name}]`);

let timer = 0;
let request = new AbortController();

// --- Results ---

const listOptions = () => [...list.querySelectorAll("[role=option]")];
const findActive = () => list.querySelector("[aria-selected=true]");

function setActive(option) {
  findActive()?.setAttribute("aria-selected", "false");
  option?.setAttribute("aria-selected", "true");
  if (option) field.setAttribute("aria-activedescendant", option.id);
  else field.removeAttribute("aria-activedescendant");
}

function moveActive(step) {
  const options = listOptions();
  if (!options.length) return;
  const from = options.indexOf(findActive());
  const next = options.at((from < 0 && step < 0 ? -1 : from + step) % options.length);
  setActive(next);
  next.scrollIntoView({ block: "nearest" });
}

function setStatus(text, button = "") {
  if (status.textContent !== text) status.textContent = text;
  for (const name of ["again", "sign-in"]) buttons(name).hidden = name !== button;
}

function setResults(html) {
  list.innerHTML = html; // the server has escaped it
  list.scrollTop = 0;
  list.removeAttribute("aria-busy");
  const [first] = listOptions();
  field.setAttribute("aria-expanded", String(Boolean(first)));
  setActive(first);
}

function showProblem(text, isSignedOut = false) {
  setResults("");
  setStatus(text, isSignedOut ? "sign-in" : "again");
}

// --- Requests ---

async function search() {
  request.abort();
  request = new AbortController();
  const { signal } = request;
  const isLate = AbortSignal.timeout(LONGEST_WAIT);
  const url = `${dialog.dataset.suggestions}?${new URLSearchParams({ q: field.value })}`;
  try {
    const options = { headers: { Accept: "application/json" }, signal: AbortSignal.any([signal, isLate]) };
    const response = await fetch(url, options);
    if (!response.ok) return showProblem(describeStatus(response.status), response.status === SIGNED_OUT);
    const { html, summary } = await response.json();
    setResults(html);
    setStatus(summary);
  } catch {
    if (!signal.aborted) showProblem(isLate.aborted ? NO_ANSWER : describeStatus(0));
  }
}

// What was found for the text before is shown until the answer is there, but Enter no longer opens it.
function searchSoon() {
  clearTimeout(timer);
  request.abort();
  setActive(null);
  if (field.value.trim().length < MIN_CHARACTERS) {
    setResults("");
    return setStatus(hint);
  }
  list.setAttribute("aria-busy", "true");
  setStatus("Searching…");
  timer = setTimeout(search, TYPING_PAUSE);
}

// --- Opening and closing ---

function open() {
  if (!dialog.open) dialog.showModal();
  field.focus();
  field.select();
  if (field.value) searchSoon();
}

const isField = (element) => element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);
const isOtherDialogOpen = () => Boolean(document.querySelector(`dialog[open]:not(#${dialog.id})`));

// A click beside the dialog goes to the dialog too.
function isOutside({ target, clientX, clientY }) {
  const { left, right, top, bottom } = dialog.getBoundingClientRect();
  return target === dialog && (clientX < left || clientX > right || clientY < top || clientY > bottom);
}

function isShortcut(event) {
  const hasModifier = event.ctrlKey || event.metaKey;
  if (event.altKey || event.repeat) return false;
  if (hasModifier) return event.key.toLowerCase() === "k" && !event.shiftKey;
  return event.key === "/" && !isField(event.target);
}

function handleKey(event) {
  if (event.isComposing) return;
  const active = findActive();
  if (KEY_STEPS[event.key]) moveActive(KEY_STEPS[event.key]);
  else if (event.key === "Enter" && active) active.click();
  else return;
  event.preventDefault();
}

function start() {
  document.addEventListener("keydown", (event) => {
    if (!isShortcut(event) || isOtherDialogOpen()) return;
    event.preventDefault();
    open();
  });
  for (const button of document.querySelectorAll("[data-search]")) {
    button.setAttribute("aria-haspopup", "dialog");
    button.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab with the page of the search
      event.preventDefault();
      open();
    });
  }
  if (/Mac|iPhone|iPad/.test(navigator.platform)) {
    for (const keys of document.querySelectorAll("[data-search-keys]")) keys.textContent = "⌘ K";
  }
  field.addEventListener("input", searchSoon);
  field.addEventListener("keydown", handleKey);
  buttons("close").addEventListener("click", () => dialog.close());
  buttons("again").addEventListener("click", () => (field.focus(), searchSoon()));
  buttons("sign-in").addEventListener("click", openSignIn);
  dialog.addEventListener("close", () => {
    clearTimeout(timer);
    request.abort();
  });
  dialog.addEventListener("click", (event) => {
    // A result may be on this page, which then stays.
    if (isOutside(event) || event.target.closest("[role=option]")) dialog.close();
  });
  list.addEventListener("mousedown", (event) => event.preventDefault()); // the focus stays in the field
  list.addEventListener("pointermove", (event) => {
    const option = event.target.closest("[role=option]");
    if (option && event.pointerType === "mouse" && !list.hasAttribute("aria-busy")) setActive(option);
  });
}

if (dialog) start();
