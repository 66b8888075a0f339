// A take is approved by somebody who heard all of it: the button waits until every part of it was played.
const SLACK = 0.5; // seconds that may be missing: players report their progress in steps
const audio = document.querySelector("#review audio");
const approve = document.querySelector("#review [data-approve]");
const note = document.querySelector("#review [data-approve-note]");

function wait(waits) {
  approve.disabled = waits;
  note.hidden = !waits;
  if (waits) approve.setAttribute("aria-describedby", note.id);
  else approve.removeAttribute("aria-describedby");
}

function heard({ played, duration }) {
  let seconds = 0;
  for (let part = 0; part < played.length; part += 1) seconds += played.end(part) - played.start(part);
  return seconds >= duration - SLACK;
}

if (audio && approve) {
  wait(true);
  for (const step of ["timeupdate", "pause", "ended"]) {
    audio.addEventListener(step, () => {
      if (heard(audio)) wait(false);
    });
  }
}
