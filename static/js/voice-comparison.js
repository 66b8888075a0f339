// Saves the tick about the voice comparison when it changes, so that it is not lost if the talent goes on without the
// button. The button is shown without this script, and for what it could not save.

const section = document.querySelector("[data-comparison]");

// The section as the server shows it after the answer.
async function save(form) {
  const response = await fetch(form.action, { method: "POST", body: new FormData(form) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  if (response.url.includes("/code/?")) location.assign(response.url); // a code is needed first
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const saved = page.querySelector("[data-comparison]");
  if (!saved) throw new Error("another page");
  return saved;
}

// Only what changed is replaced, so that the focus stays on the tick. A text that is not the one that was read is shown
// whole, with the answer that counts.
function show(saved) {
  if (section.querySelector("[name=words]").value !== saved.querySelector("[name=words]").value) {
    section.replaceChildren(...saved.childNodes);
    section.querySelector("details").open = true;
    return;
  }
  const find = (root, selector) => root.querySelector(selector);
  find(section, "[role=status]").replaceChildren(...find(saved, "[role=status]").childNodes);
  find(section, "[name=is_allowed]").checked = find(saved, "[name=is_allowed]").checked;
}

function showProblem(hasProblem) {
  section.querySelector("[data-problem]").hidden = !hasProblem;
  section.querySelector("[data-save]").hidden = !hasProblem;
}

async function handleChange() {
  let isSaved = true;
  try {
    show(await save(section.querySelector("form")));
  } catch {
    isSaved = false;
  }
  showProblem(!isSaved);
}

if (section) {
  section.addEventListener("change", handleChange);
  showProblem(false);
  // A tick that was changed before this script was loaded is saved by the button.
  const tick = section.querySelector("[name=is_allowed]");
  section.querySelector("[data-save]").hidden = tick.checked === tick.defaultChecked;
}
