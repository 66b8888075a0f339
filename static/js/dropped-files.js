// A file that is dropped anywhere on the page goes into the field of a file, as if it had been chosen.
function takeDroppedFile(input, files) {
  const first = new DataTransfer();
  first.items.add(files[0]);
  input.files = first.files;
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

// `zone` shows that a file may be dropped while one is dragged over the page.
export function listenForDroppedFiles(zone, input) {
  for (const kind of ["dragenter", "dragover"]) {
    document.addEventListener(kind, (event) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      zone.classList.add("over");
    });
  }
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) zone.classList.remove("over");
  });
  document.addEventListener("drop", (event) => {
    if (!event.dataTransfer?.files.length) return;
    event.preventDefault();
    zone.classList.remove("over");
    takeDroppedFile(input, event.dataTransfer.files);
  });
}
