// Rejects with `makeError()` if the promise takes too long: some browsers never answer what they were asked.
export function limitTime(promise, milliseconds, makeError) {
  let timer;
  const limit = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(makeError()), milliseconds);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(timer));
}
