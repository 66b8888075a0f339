// Encrypts what this browser stores of a recording. Each recording has a key of its own, which no script can read, and
// which is deleted with it.

const ALGORITHM = "AES-GCM";
const KEY_BITS = 256;
const IV_BYTES = 12;

export const makeKey = () => crypto.subtle.generateKey({ name: ALGORITHM, length: KEY_BITS }, false, ["encrypt", "decrypt"]);

// {iv, data} of these bytes.
export async function seal(key, bytes) {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  return { iv, data: await crypto.subtle.encrypt({ name: ALGORITHM, iv }, key, bytes) };
}

export const unseal = (key, { iv, data }) => crypto.subtle.decrypt({ name: ALGORITHM, iv }, key, data);

export const sealObject = (key, value) => seal(key, new TextEncoder().encode(JSON.stringify(value)));

export async function unsealObject(key, sealed) {
  return JSON.parse(new TextDecoder().decode(await unseal(key, sealed)));
}
