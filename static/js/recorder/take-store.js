// Stores recordings in this browser, encrypted, until the studio has received them, for at most 24 hours.
import { makeKey, seal, sealObject, unseal, unsealObject } from "./take-crypto.js";
import { deleteExpired, makeRange, runInTransaction, toPromise } from "./take-database.js";

// A take is {wav: ArrayBuffer, sha256, device, findings, seconds, at: milliseconds}. It takes the place of the parts.
// Returns false when this browser cannot store anything.
export async function saveTake(id, { wav, ...facts }) {
  try {
    const key = await makeKey();
    const sealed = { key, at: facts.at, sound: await seal(key, wav), facts: await sealObject(key, facts) };
    await runInTransaction("readwrite", async ({ takes, parts }) => {
      await toPromise(takes.put(sealed, id));
      await toPromise(parts.delete(makeRange(id)));
    });
    return true;
  } catch {
    return false;
  }
}

// Deletes the take and all parts of this consent.
export async function deleteTake(id) {
  try {
    await runInTransaction("readwrite", async ({ takes, parts }) => {
      await toPromise(takes.delete(id));
      await toPromise(parts.delete(makeRange(id)));
    });
  } catch {
    // A browser that cannot store takes has no take to delete.
  }
}

// Deletes everything that is expired, then returns the take of this consent, if there is one.
export async function loadTake(id) {
  try {
    const stored = await runInTransaction("readwrite", async (stores) => {
      await deleteExpired(stores);
      return toPromise(stores.takes.get(id));
    });
    if (!stored?.key) return stored; // an earlier version stored takes as they are
    return { ...(await unsealObject(stored.key, stored.facts)), wav: await unseal(stored.key, stored.sound) };
  } catch {
    return undefined;
  }
}

// What is stored of this consent: "take", "part" or "". Deletes everything that is expired.
export async function findStored(id) {
  try {
    return await runInTransaction("readwrite", async (stores) => {
      await deleteExpired(stores);
      if (await toPromise(stores.takes.count(id))) return "take";
      return (await toPromise(stores.parts.count(makeRange(id)))) > 1 ? "part" : "";
    });
  } catch {
    return "";
  }
}
