// Sends the files of one import, three at a time, each in parts that the server can continue (tus 1.0.0).
//
// A lost connection is waited for. A closed page is continued by choosing the same files again: the server knows each by
// its path, size and time of change, so that nothing is sent twice and no address is kept in the browser.
import { refreshToken } from "./session.js";

const MAX_PARALLEL = 3;
const PART_SIZE = 8 * 1024 * 1024; // bytes; a proxy that keeps a request back loses one part at most
const RETRY_DELAYS = [0, 1000, 3000, 5000]; // milliseconds; then every LAST_DELAY
const LAST_DELAY = 10_000;
const LONGEST_WAIT = 2000; // retries: for hours
const CONFLICT = 409;
const UNREADABLE = "This browser can no longer read the file. Choose it again.";
const FAILED = "The server refused the file.";
const NO_CONNECTION = "No connection to the server.";
const SERVER_PROBLEM = "The server had a problem.";

const encode = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));
const readToken = () => document.querySelector("[name=csrfmiddlewaretoken]").value;
const makeMetadata = ({ file, path }) => ({ filename: file.name, relativePath: path, lastModified: String(file.lastModified) });
const describe = (item) => Object.entries(makeMetadata(item)).map(([key, value]) => `${key} ${encode(value)}`).join(",");
const makeKey = (size, metadata) => `${size} ${metadata}`;
const wait = (time) => new Promise((resolve) => {
  const timer = setTimeout(done, time);
  function done() {
    clearTimeout(timer);
    window.removeEventListener("online", done);
    resolve();
  }
  window.addEventListener("online", done);
});

async function loadLibrary() {
  await import("../vendor/tus-js-client/tus.min.js");
  return window.tus;
}

const getStatus = (error) => error.originalResponse?.getStatus() ?? 0;

// What the server says about a failure.
function readProblem(error, otherwise = FAILED) {
  try {
    return JSON.parse(error.originalResponse.getBody()).problem || otherwise;
  } catch {
    return otherwise;
  }
}

export class ImportUploads {
  // `createUrl` makes an import. `onChange` is called after each change, as often as that may be.
  constructor(createUrl, onChange) {
    this.createUrl = createUrl;
    this.onChange = onChange;
    this.items = new Map();
    this.waiting = [];
    this.running = new Set();
    this.known = new Map();
    this.planned = 0;
    this.state = "idle"; // "idle", "uploading", "offline", "signed_out", "other_user"
    this.reason = ""; // why it waits, if it is offline
    this.url = "";
    window.addEventListener("online", () => this.hurry());
  }

  get isBusy() {
    return this.running.size + this.waiting.length > 0;
  }

  get problems() {
    return [...this.items.values()].filter((item) => item.problem);
  }

  count() {
    const counts = { files: this.items.size, done: 0, bytes: 0, sent: 0 };
    for (const item of this.items.values()) {
      counts.done += item.isDone;
      counts.bytes += item.problem ? 0 : item.file.size;
      counts.sent += item.problem ? 0 : item.sent;
    }
    return counts;
  }

  // Looks whether the server has one of these files already in the import that was interrupted.
  async continueIfKnown(uploadsUrl, url, files, isChosen) {
    if (this.endpoint) return;
    const response = await this.request(uploadsUrl, "GET");
    if (!response?.ok) return;
    const { files: rows, planned } = await response.json();
    const known = new Map(rows.map((row) => [makeKey(row.size, row.metadata), row.received]));
    if (!isChosen && !files.some((one) => known.has(makeKey(one.file.size, describe(one))))) return;
    [this.endpoint, this.url, this.known, this.planned] = [uploadsUrl, url, known, planned];
  }

  async add(files) {
    for (const one of files) this.addItem(one);
    this.state = "uploading";
    this.onChange();
    if (!(await this.prepare())) return;
    this.startNext();
  }

  // A file that was chosen twice is sent once.
  addItem({ file, path }) {
    const key = makeKey(file.size, describe({ file, path }));
    const earlier = this.items.get(key);
    if (earlier && !earlier.problem) return;
    const isDone = this.known.get(key) === file.size;
    this.items.set(key, { file, path, isDone, sent: isDone ? file.size : 0, problem: "" });
    if (!isDone) this.waiting.push(this.items.get(key));
  }

  // Loads the library and makes the import, once.
  async prepare() {
    this.preparing ??= this.loadAndCreate();
    const isReady = await this.preparing;
    if (!isReady) this.preparing = null;
    return isReady;
  }

  async loadAndCreate() {
    while (!this.tus) {
      this.tus = await loadLibrary().catch(() => null);
      if (!this.tus) await this.waitForConnection(NO_CONNECTION);
    }
    while (!this.endpoint) {
      const response = await this.request(this.createUrl, "POST");
      if (!response) return false;
      if (!response.ok) return this.fail(await response.json().catch(() => ({})));
      const made = await response.json();
      [this.endpoint, this.url] = [made.uploads, made.url];
    }
    return true;
  }

  fail({ problem }) {
    for (const item of this.waiting.splice(0)) item.problem = problem || FAILED;
    this.state = "idle";
    this.onChange();
    return false;
  }

  // A request that waits for the connection. Null if the person is signed out.
  async request(url, method) {
    for (;;) {
      const headers = { Accept: "application/json", "X-CSRFToken": readToken() };
      const response = await fetch(url, { method, headers }).catch(() => null);
      if (response?.status === 401) return this.pause("signed_out");
      if (response && response.status < 500 && response.status !== 403) return this.resumeState(response);
      if (response?.status === 403 && !(await this.renewToken(response.clone()))) return response;
      if (response?.status !== 403) await this.waitForConnection(response ? SERVER_PROBLEM : NO_CONNECTION);
    }
  }

  resumeState(response) {
    this.state = "uploading";
    return response;
  }

  // Whether the answer was that the token of the page is out of date, and there is a new one.
  async renewToken(response) {
    const { kind } = await response.json().catch(() => ({}));
    return kind === "csrf" && (await refreshToken()) === "";
  }

  async waitForConnection(reason) {
    this.setOffline(reason);
    await wait(LAST_DELAY);
  }

  setOffline(reason) {
    this.state = "offline";
    this.reason = reason;
    this.onChange();
  }

  startNext() {
    while (this.running.size < MAX_PARALLEL && this.waiting.length && this.state !== "signed_out") this.upload(this.waiting.shift());
    if (!this.isBusy) this.state = "idle";
    this.onChange();
  }

  upload(item) {
    this.running.add(item);
    item.upload = new this.tus.Upload(item.file, {
      endpoint: this.endpoint,
      uploadUrl: item.url ?? null,
      chunkSize: PART_SIZE,
      uploadDataDuringCreation: true,
      storeFingerprintForResuming: false,
      retryDelays: [...RETRY_DELAYS, ...Array(LONGEST_WAIT).fill(LAST_DELAY)],
      metadata: makeMetadata(item),
      headers: { Accept: "application/json" },
      onBeforeRequest: (request) => this.addHeaders(request),
      onShouldRetry: (error) => this.shouldRetry(item, error),
      onProgress: (sent) => this.showProgress(item, sent),
      onSuccess: () => this.finish(item),
      onError: (error) => this.handleError(item, error),
    });
    item.upload.start();
  }

  addHeaders(request) {
    request.setHeader("X-CSRFToken", readToken());
    request.setHeader("Import-Files", String(Math.max(this.planned, this.items.size)));
  }

  showProgress(item, sent) {
    item.sent = sent;
    item.isWaiting = false;
    if (this.state === "offline") this.state = "uploading";
    this.onChange();
  }

  shouldRetry(item, error) {
    const status = getStatus(error);
    if (status === CONFLICT) return true;
    if (status && status < 500) return false;
    item.isWaiting = true;
    if (!status) this.checkFile(item);
    this.setOffline(status ? readProblem(error, SERVER_PROBLEM) : NO_CONNECTION);
    return true;
  }

  // Without an answer, the reason may be that the file was moved or changed.
  async checkFile(item) {
    try {
      await item.file.slice(0, 1).arrayBuffer();
    } catch {
      item.upload.abort();
      this.end(item, UNREADABLE);
    }
  }

  finish(item) {
    item.sent = item.file.size;
    item.isDone = true;
    this.end(item);
  }

  end(item, problem = "") {
    if (!this.running.delete(item)) return;
    item.problem = problem;
    item.upload = null;
    this.startNext();
  }

  async handleError(item, error) {
    const status = getStatus(error);
    item.url = item.upload.url;
    if (status === 401) return this.pauseItem(item);
    if (status === 403 && !item.isRenewed) {
      item.isRenewed = true;
      const body = error.originalResponse.getBody();
      if (await this.renewToken(new Response(body))) return this.repeat(item);
    }
    item.url = null;
    this.end(item, readProblem(error));
  }

  repeat(item) {
    this.running.delete(item);
    this.waiting.unshift(item);
    this.startNext();
  }

  pauseItem(item) {
    this.running.delete(item);
    this.waiting.unshift(item);
    this.pause("signed_out");
  }

  pause(state) {
    this.state = state;
    document.dispatchEvent(new CustomEvent("session-ended"));
    this.onChange();
    return null;
  }

  // After the person has signed in again.
  async resume() {
    const obstacle = await refreshToken();
    this.state = { "": "uploading", offline: "offline", error: "offline" }[obstacle] ?? obstacle;
    this.onChange();
    if (!obstacle && (await this.prepare())) this.startNext();
  }

  // Repeats the requests that wait for the connection.
  hurry() {
    for (const item of this.running) {
      if (!item.isWaiting) continue;
      item.isWaiting = false;
      item.upload.abort();
      item.upload.start();
    }
  }

  // The import may not have been made either.
  async retryFailed() {
    for (const item of this.problems) {
      item.problem = "";
      item.isRenewed = false;
      this.waiting.push(item);
    }
    this.state = "uploading";
    this.onChange();
    if (await this.prepare()) this.startNext();
  }
}
