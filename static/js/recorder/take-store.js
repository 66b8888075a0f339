// Stores a finished take in this browser (IndexedDB) until the studio has received it, for at most 24 hours.

const DATABASE = "voicehub-takes";
const STORE = "takes";
const MAX_AGE_MS = 24 * 3600 * 1000;

const toPromise = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

function openDatabase() {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return toPromise(request);
}

async function runInTransaction(mode, work) {
  const database = await openDatabase();
  try {
    const transaction = database.transaction(STORE, mode);
    const completed = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    const result = await work(transaction.objectStore(STORE));
    await completed;
    return result;
  } finally {
    database.close();
  }
}

// A take is {wav: ArrayBuffer, sha256, device, findings, seconds, at: milliseconds}.
// Returns false when this browser cannot store anything.
export async function saveTake(key, take) {
  try {
    await runInTransaction("readwrite", (store) => toPromise(store.put(take, key)));
    return true;
  } catch {
    return false;
  }
}

export async function deleteTake(key) {
  try {
    await runInTransaction("readwrite", (store) => toPromise(store.delete(key)));
  } catch {
    // A browser that cannot store takes has no take to delete.
  }
}

async function deleteExpiredTakes(store) {
  for (const key of await toPromise(store.getAllKeys())) {
    const take = await toPromise(store.get(key));
    if (Date.now() - take.at > MAX_AGE_MS) store.delete(key);
  }
}

// Deletes every expired take, then returns the take stored under `key`, if there is one.
export async function loadTake(key) {
  try {
    return await runInTransaction("readwrite", async (store) => {
      await deleteExpiredTakes(store);
      return toPromise(store.get(key));
    });
  } catch {
    return undefined;
  }
}
