// Sends a take and tells how far it is. XMLHttpRequest, as fetch cannot report the progress of an upload.

export class Lost extends Error {}

// Resolves with {status, body}; rejects with Lost when no answer came.
export function send(address, csrf, take, onProgress) {
  const form = new FormData();
  form.append("file", new Blob([take.wav], { type: "audio/wav" }), "statement.wav");
  form.append("sha256", take.sha256);
  form.append("device", JSON.stringify(take.device));
  form.append("recorded", "on");
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", address);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", csrf);
    request.responseType = "json";
    request.timeout = 120000;
    request.upload.onprogress = (event) => onProgress(event.loaded / event.total);
    request.onload = () => resolve({ status: request.status, body: request.response || {} });
    request.onerror = request.ontimeout = () => reject(new Lost());
    request.send(form);
  });
}
