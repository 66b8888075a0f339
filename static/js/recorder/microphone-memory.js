// Whether the microphone was allowed in this tab. The next page of the sitting then opens it by itself.

const KEY = "voicehub-microphone-allowed";

export function rememberAllowed() {
  try {
    sessionStorage.setItem(KEY, "yes");
  } catch {
    // The person is asked again.
  }
}

export function wasAllowed() {
  try {
    return sessionStorage.getItem(KEY) === "yes";
  } catch {
    return false;
  }
}
