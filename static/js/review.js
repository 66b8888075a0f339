// Help only, as the server decides: the button waits until every part was played and as much time has passed as it lasts.
const SLACK = 0.5; // seconds that may be missing: players report their progress in steps
const audio = document.querySelector("#review audio");
const approve = document.querySelector("#review [data-approve]");
const note = document.querySelector("#review [data-approve-note]");
let began = 0; // when sound first came from the server

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

function look() {
  if (!began || !heard(audio)) return;
  const left = began + audio.duration * 1000 - Date.now();
  if (left > 0) setTimeout(look, left);
  else wait(false);
}

if (audio && approve) {
  const left = approve.dataset.secondsLeft; // it was played before this page was loaded
  wait(left !== "0");
  if (left) setTimeout(wait, left * 1000, false);
  audio.addEventListener("playing", () => (began ||= Date.now()));
  for (const step of ["timeupdate", "pause", "ended"]) audio.addEventListener(step, look);
}
