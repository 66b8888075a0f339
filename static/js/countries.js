// Single countries are sent only while "Single countries" is chosen: those below "Worldwide" keep their ticks, unseen.
for (const field of document.querySelectorAll("[data-countries]")) {
  const single = field.querySelector("input[type=radio][value='']");
  const list = field.querySelector(".country-list");
  const update = () => {
    list.disabled = !single.checked;
  };
  field.addEventListener("change", update);
  // Some browsers keep the choice when a person comes back to the page.
  window.addEventListener("pageshow", update);
  update();
}
