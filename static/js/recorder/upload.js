// Uploads a take and reports the progress. It uses XMLHttpRequest because fetch cannot report upload progress.

const TIMEOUT_MS = 120000;

export class NetworkError extends Error {}

// Resolves with {status, body}; rejects with NetworkError when no response came.
export function uploadTake(url, csrfToken, take, onProgress) {
  const form = new FormData();
  form.append("file", new Blob([take.wav], { type: "audio/wav" }), "statement.wav");
  form.append("sha256", take.sha256);
  form.append("device", JSON.stringify(take.device));
  form.append("recorded", "on");
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", url);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("X-CSRFToken", csrfToken);
    request.responseType = "json";
    request.timeout = TIMEOUT_MS;
    request.upload.onprogress = (event) => onProgress(event.loaded / event.total);
    request.onload = () => resolve({ status: request.status, body: request.response || {} });
    request.onerror = request.ontimeout = () => reject(new NetworkError());
    request.send(form);
  });
}
