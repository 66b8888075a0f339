// Uploads a take and reports the progress. It uses XMLHttpRequest because fetch cannot report upload progress.

import { translate } from "../translate.js";

const TIMEOUT_MS = 120000;
const UNREACHABLE = [0, 502, 504]; // no answer, or only one of a gateway

// What became of an upload.
export const Outcome = {
  ACCEPTED: "accepted", // the studio has it; `next` is the next page
  REFUSED: "refused", // the studio has it and cannot use it; `text` says why
  FAILED: "failed", // the studio does not have it; `text` says why
  UNREACHABLE: "unreachable",
};

const DAMAGED = translate("The file was damaged on the way. Send it again.");
const LINK_ENDED = translate("This link no longer works. Ask the studio for a new one.");
const OTHER_PROBLEM = translate("The studio could not receive it. Send it again in a minute.");

export function interpretResponse({ status, body }, sha256) {
  if (UNREACHABLE.includes(status)) return { is: Outcome.UNREACHABLE };
  if (status !== 200) return { is: Outcome.FAILED, text: status === 404 ? LINK_ENDED : body.problem || OTHER_PROBLEM };
  if (body.sha256 !== sha256) return { is: Outcome.FAILED, text: DAMAGED };
  return body.next ? { is: Outcome.ACCEPTED, next: body.next } : { is: Outcome.REFUSED, text: body.problem };
}

// Resolves with {status, body}. The status is 0 if no response came.
export function postForm(url, csrfToken, form, onProgress, timeout = TIMEOUT_MS) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", csrfToken);
    request.responseType = "json";
    request.timeout = timeout;
    request.upload.onprogress = (event) => onProgress(event.loaded / event.total);
    request.onload = request.onerror = request.ontimeout = () =>
      resolve({ status: request.status, body: request.response || {} });
    request.send(form);
  });
}

// Resolves with {is, next, text}.
export async function uploadTake(url, csrfToken, take, onProgress) {
  const form = new FormData();
  form.append("file", new Blob([take.wav], { type: "audio/wav" }), "statement.wav");
  form.append("sha256", take.sha256);
  form.append("device", JSON.stringify(take.device));
  form.append("recorded", "on");
  return interpretResponse(await postForm(url, csrfToken, form, onProgress), take.sha256);
}
