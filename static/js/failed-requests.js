// Failed requests of htmx: says what happened, puts the control back or marks the text, and offers to try again.
import { handleArrival } from "./form-copies.js";
import { openSignIn, refreshToken } from "./session.js";
import { removeToast, showStaleNote, showToast } from "./toasts.js";
import { allowLeaving, clearMark, describeField, isText, isUnsaved, markUnsaved, restoreTexts, storeUnsavedTexts } from "./unsaved.js";

const SIGNED_OUT = "signed-out";
const QUIET_FAILURES = 3; // failures of one poll in a row before the page says that it is out of date
const RETRY_DELAY = 4000;
const NO_CONNECTION = "No connection to the server.";
const SERVER_PROBLEM = "The server had a problem.";
const STATUS_TEXTS = {
  0: NO_CONNECTION,
  401: "You are signed out.",
  403: "Your role does not allow this. An admin can change your role.",
  404: "This no longer exists. Reload the page.",
  413: "This is too large to send.",
};

const makeKey = ({ verb, path }) => `${verb} ${path}`;
const changesData = ({ verb }) => verb !== "get";

// Requests that only keep the page up to date: they were not started by a click.
const isBackground = (elt, config) => !changesData(config) && /every |from:body/.test(elt.getAttribute("hx-trigger") ?? "");

// --- What happened ---

function readWords(xhr, isTimeout) {
  if (isTimeout) return "The server did not answer.";
  try {
    return JSON.parse(xhr.responseText).problem || describeStatus(xhr.status);
  } catch {
    return describeStatus(xhr.status);
  }
}

export const describeStatus = (status) => STATUS_TEXTS[status] ?? SERVER_PROBLEM;

function handleFailure({ elt, xhr, requestConfig }, isTimeout = false) {
  if (isBackground(elt, requestConfig)) return noteStale(elt, xhr, requestConfig);
  const fields = changesData(requestConfig) ? [...(elt.elements ?? [])] : [];
  fields.filter(isUnsaved).forEach(markUnsaved);
  storeUnsavedTexts();
  putBack(elt);
  if (xhr.status === 401) return showSignedOut();
  // The answer to a conflict is in the page, or came as an event.
  if (xhr.status === 409) return removeToast(makeKey(requestConfig));
  showProblem(copyRequest(elt, requestConfig), readWords(xhr, isTimeout));
}

function showProblem(request, words) {
  const text = changesData(request) ? `Not saved: ${describeControl(request.elt)}. ${words}` : words;
  showToast(makeKey(request), text, [{ label: "Try again", run: () => tryAgain(request) }]);
}

function describeControl(elt) {
  const field = [...(elt.elements ?? [])].find((one) => isText(one) || one.type === "checkbox");
  return (field ? describeField(field) : elt.dataset.pressed || elt.textContent).trim().replace(/\s+/g, " ");
}

// A form of many buttons, such as the switches of a table, is described by the one that was pressed.
document.addEventListener("submit", ({ target, submitter }) => {
  const label = submitter?.getAttribute("aria-label");
  if (label) target.dataset.pressed = label;
}, true);

// A switch or a list shows what the server has. Text stays.
function putBack(elt) {
  if (!/change/.test(elt.getAttribute("hx-trigger") ?? "")) return;
  for (const field of elt.elements ?? []) {
    if (field.type === "checkbox" || field.type === "radio") field.checked = field.defaultChecked;
    for (const option of field.options ?? []) option.selected = option.defaultSelected;
  }
}

function showSignedOut() {
  showToast(SIGNED_OUT, "You are signed out. What you typed is kept in this tab.", [
    { label: "Sign in again", run: () => (allowLeaving(), openSignIn()) },
  ]);
}

// --- Try again ---

function copyRequest(elt, { verb, path, formData }) {
  return { elt, verb, path, entries: [...formData.entries()] };
}

let repeated = null; // the request whose parameters the next request of htmx takes

async function tryAgain(old) {
  const request = { ...old, elt: old.elt.isConnected ? old.elt : findSuccessor(old.elt) };
  const { elt, verb, path } = request;
  if (!elt) return showToast(makeKey(request), "This part of the page has changed. Reload the page.");
  const obstacle = changesData(request) ? await refreshToken() : "";
  if (obstacle) return showObstacle(request, obstacle);
  removeToast(SIGNED_OUT);
  repeated = request;
  window.htmx.ajax(verb, path, { source: elt })?.catch(() => {}); // a failure is shown by its event
  repeated = null;
}

// htmx may have replaced the element meanwhile.
const findSuccessor = (elt) => elt.id
  ? document.getElementById(elt.id)
  : [...document.querySelectorAll("[hx-post]")].find((one) => one.getAttribute("hx-post") === elt.getAttribute("hx-post"));

function showObstacle(request, obstacle) {
  if (obstacle === "signed_out") return showSignedOut();
  if (obstacle === "other_user") return showToast(makeKey(request), "Someone else has signed in. Reload the page.");
  showProblem(request, obstacle === "offline" ? NO_CONNECTION : SERVER_PROBLEM);
}

document.addEventListener("htmx:configRequest", ({ detail }) => {
  if (repeated?.path !== detail.path) return;
  for (const name of [...detail.formData.keys()]) detail.formData.delete(name);
  const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value;
  for (const [name, value] of repeated.entries) {
    detail.formData.append(name, name === "csrfmiddlewaretoken" ? token : value);
  }
});

// --- Requests that keep the page up to date ---

const failures = new Map(); // how often in a row, by path without its parameters
const lost = new Map(); // requests that nothing repeats by itself
const getPoll = ({ path }) => path.split("?")[0];

function noteStale(elt, xhr, requestConfig) {
  const poll = getPoll(requestConfig);
  failures.set(poll, (failures.get(poll) ?? 0) + 1);
  if (!/every /.test(elt.getAttribute("hx-trigger"))) lost.set(poll, copyRequest(elt, requestConfig));
  if (xhr.status === 401) return showSignedOut();
  if (Math.max(...failures.values()) < QUIET_FAILURES && !lost.size) return;
  const cause = xhr.status === 0 ? "no connection" : "the server has a problem";
  showStaleNote(`This page is not up to date: ${cause}. Trying again…`);
}

function noteFresh(requestConfig) {
  failures.delete(getPoll(requestConfig));
  lost.delete(getPoll(requestConfig));
  if (!failures.size) showStaleNote("");
}

setInterval(() => lost.forEach(tryAgain), RETRY_DELAY);

// --- Events of htmx ---

function handleSuccess({ elt, xhr, requestConfig }) {
  noteFresh(requestConfig);
  if (!changesData(requestConfig) || xhr.responseText.includes("field-errors")) return;
  removeToast(makeKey(requestConfig));
  for (const field of [...(elt.elements ?? [])].filter(isText)) {
    const sent = requestConfig.formData.get(field.name);
    if (sent === null) continue;
    // The answer may have replaced the field by an empty one.
    if (isUnsaved(field)) field.defaultValue = sent;
    if (!isUnsaved(field)) clearMark(field);
  }
}

// A click on a switch is ignored while its last change is under way.
function setBusy(elt, isBusy) {
  for (const field of elt.elements ?? []) {
    if (field.type === "checkbox") field.setAttribute("aria-busy", String(isBusy));
  }
}

document.addEventListener("click", (event) => {
  if (event.target.matches?.("[aria-busy=true]")) event.preventDefault();
}, true);

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (changesData(detail.requestConfig)) setBusy(detail.elt, true);
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  setBusy(detail.elt, false);
  if (detail.successful) handleSuccess(detail);
});
for (const name of ["htmx:responseError", "htmx:sendError"]) {
  document.addEventListener(name, ({ detail }) => handleFailure(detail));
}
document.addEventListener("htmx:timeout", ({ detail }) => handleFailure(detail, true));
// The answer to a conflict shows both versions.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.xhr.status === 409) detail.shouldSwap = true;
});
document.addEventListener("action-refused", ({ detail }) => showToast("refused", detail.text));
document.addEventListener("session-ended", showSignedOut);
document.addEventListener("htmx:load", ({ target }) => restoreTexts(target));

handleArrival();
restoreTexts();
