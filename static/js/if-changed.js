// A part of a form that is about the change of one field. It is shown once the field has another value than `data-before`.
for (const part of document.querySelectorAll("[data-if-changed]")) {
  const field = document.getElementById(part.dataset.ifChanged);
  const update = () => {
    part.hidden = field.value.trim() === part.dataset.before;
  };
  field.addEventListener("input", update);
  window.addEventListener("pageshow", update);
  update();
}
