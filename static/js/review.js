// A take is approved by somebody who heard all of it: the button waits until it was played to its end.
const audio = document.querySelector("#review audio");
const approve = document.querySelector("#review [data-approve]");
const note = document.querySelector("#review [data-approve-note]");

function wait(waits) {
  approve.disabled = waits;
  note.hidden = !waits;
  if (waits) approve.setAttribute("aria-describedby", note.id);
  else approve.removeAttribute("aria-describedby");
}

if (audio && approve) {
  wait(true);
  audio.addEventListener("ended", () => wait(false));
}
