// A button below the last password or key of a form, which shows what was typed.

const SECRETS = "input[type=password]";

function addButton(form) {
  const fields = [...form.querySelectorAll(SECRETS)];
  const last = fields.at(-1);
  const word = last.name.includes("key") ? "key" : `password${fields.length > 1 ? "s" : ""}`;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "vh-show";

  function show(isShown) {
    for (const field of fields) field.type = isShown ? "text" : "password";
    button.textContent = `${isShown ? "Hide" : "Show"} ${word}`;
  }

  button.addEventListener("click", () => show(last.type === "password"));
  form.addEventListener("submit", () => show(false)); // or the browser would offer it as a text to repeat
  show(false);
  last.after(button);
}

for (const form of document.querySelectorAll("form")) if (form.querySelector(SECRETS)) addButton(form);
