// The table of recordings is not replaced while a transcript in it is being edited: the new rows would replace that text.

let isPostponed = false;

const dispatch = (name) => document.body.dispatchEvent(new CustomEvent(name));
const hasUnsavedTranscript = () =>
  [...document.querySelectorAll("#recordings textarea")].some(
    (text) => text.value !== text.defaultValue || text === document.activeElement,
  );

// Refreshes the table later.
function refreshPostponed() {
  if (!isPostponed || hasUnsavedTranscript()) return;
  isPostponed = false;
  dispatch("recordings-due");
}

// Under the filter "no transcript", a row with a new transcript leaves the table.
const leavesFilter = (text) =>
  document.getElementById("recordings").dataset.show === "no_transcript" && text.value.trim() !== "";

// After a successful save, the saved text is the row's initial text.
document.addEventListener("htmx:afterRequest", ({ detail }) => {
  const text = detail.elt.matches("form.transcript") && detail.elt.querySelector("textarea");
  if (!text) return;
  if (detail.successful && !detail.xhr.responseText.includes("field-errors")) {
    text.defaultValue = detail.requestConfig.parameters.transcript;
    isPostponed ||= leavesFilter(text);
  }
  refreshPostponed();
});
document.addEventListener("focusout", refreshPostponed);

// A user may start to type while the browser is loading the new table.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const trigger = detail.requestConfig.triggeringEvent?.type;
  if (!["recordings-changed", "recordings-due"].includes(trigger) || detail.target.id !== "recordings") return;
  isPostponed = hasUnsavedTranscript();
  detail.shouldSwap = !isPostponed;
});
