// The database of this browser (IndexedDB) for recordings that the studio has not received.
//
// `takes` has finished ones by the id of their consent. `parts` has what was recorded so far, by [id, start, number]:
// number 0 describes the recording, and each further one is about half a second of it.

const DATABASE = "voicehub-takes";
const VERSION = 2;
const MAX_AGE_MS = 24 * 3600 * 1000;

export const toPromise = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

function openDatabase() {
  const request = indexedDB.open(DATABASE, VERSION);
  request.onupgradeneeded = () => {
    const names = request.result.objectStoreNames;
    for (const name of ["takes", "parts"]) if (!names.contains(name)) request.result.createObjectStore(name);
  };
  return toPromise(request);
}

// `work({takes, parts})` may wait only for requests of these stores.
export async function runInTransaction(mode, work) {
  const database = await openDatabase();
  try {
    const transaction = database.transaction(["takes", "parts"], mode, { durability: "strict" });
    const completed = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    const result = await work({ takes: transaction.objectStore("takes"), parts: transaction.objectStore("parts") });
    await completed;
    return result;
  } finally {
    database.close();
  }
}

// All parts whose key begins like this.
export const makeRange = (...start) => IDBKeyRange.bound(start, [...start, []]);

// Deletes what is older than a day, of every consent.
export async function deleteExpired({ takes, parts }) {
  const isExpired = (at) => Date.now() - at > MAX_AGE_MS;
  for (const key of await toPromise(takes.getAllKeys())) {
    if (isExpired((await toPromise(takes.get(key))).at)) takes.delete(key);
  }
  for (const key of await toPromise(parts.getAllKeys())) if (isExpired(key[1])) parts.delete(key);
}
