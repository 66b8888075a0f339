// Keeps a finished recording in this browser (IndexedDB) until the studio has it, for at most 24 hours.

const NAME = "voicehub-takes";
const STORE = "takes";
const LONGEST = 24 * 3600 * 1000;

const promised = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

function open() {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return promised(request);
}

async function inStore(mode, work) {
  const database = await open();
  try {
    const transaction = database.transaction(STORE, mode);
    const done = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    const result = await work(transaction.objectStore(STORE));
    await done;
    return result;
  } finally {
    database.close();
  }
}

// A take is {wav: ArrayBuffer, sha256, device, seconds, at: milliseconds}. False when this browser keeps nothing.
export async function keep(key, take) {
  try {
    await inStore("readwrite", (store) => promised(store.put(take, key)));
    return true;
  } catch {
    return false;
  }
}

export async function drop(key) {
  try {
    await inStore("readwrite", (store) => promised(store.delete(key)));
  } catch {
    // Where nothing can be kept there is nothing to drop.
  }
}

async function dropOld(store) {
  for (const key of await promised(store.getAllKeys())) {
    const take = await promised(store.get(key));
    if (Date.now() - take.at > LONGEST) store.delete(key);
  }
}

// What was kept under `key`, if it is not too old; everything that is too old is deleted on the way.
export async function kept(key) {
  try {
    return await inStore("readwrite", async (store) => {
      await dropOld(store);
      return promised(store.get(key));
    });
  } catch {
    return undefined;
  }
}
