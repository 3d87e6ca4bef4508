/**
 * Actions of the reader on their way to the server. They lie in the browser's storage until the
 * server has them, so that neither a lost connection nor a crash loses any; it does each once.
 */

import { Refused, post } from "./server.js";

const PREFIX = "reading/";
const PAUSES_MS = [500, 1000, 2000, 4000];
const STILL_THERE_MS = 8000;
const MOST_ACTIONS = 50;
const MOST_CHARACTERS = 48_000;

/** @returns {string} A random name; `randomUUID` exists under HTTPS only. */
export function randomName() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Sends what the reader does, one request after another. */
export class Outbox {
  /**
   * @param {string} reader Whose reading it is.
   * @param {string} page Random name of this page.
   * @param {{onAnswer: function(object): void, onTrouble: function(): void,
   *   onEnd: function(Refused): void}} listener Told about the server's state, about a lost and
   *   regained connection, and about the end of this page's reading.
   */
  constructor(reader, page, listener) {
    this.page = page;
    this.pending = [];
    this.trouble = null;
    this.#key = `${PREFIX}${reader}/${page}`;
    this.#listener = listener;
  }

  #key;
  #listener;
  #busy = false;
  #closed = false;
  #timer = 0;
  #failures = 0;

  /** Add an action, and send it. */
  add(kind, data, trial, atMs) {
    const action = { id: randomName(), kind, at_ms: atMs, trial, data };
    this.pending.push(action);
    this.#keep();
    this.send();
  }

  /** Send what is waiting, or ask for the state if nothing is; does nothing while it sends. */
  async send() {
    if (this.#busy || this.#closed) return;
    clearTimeout(this.#timer);
    this.#busy = true;
    const batch = firstOf(this.pending);
    let wait = STILL_THERE_MS;
    try {
      const { results, state } = await post("api/actions", { page: this.page, actions: batch });
      this.#forget(results);
      this.#failures = 0;
      this.#tell(null);
      this.#listener.onAnswer(state);
      if (this.pending.length > 0) wait = 0;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (!error.passes) {
        this.close();
        // Another page has taken over, and asks for these answers again.
        if (error.code === "superseded") localStorage.removeItem(this.#key);
        this.#listener.onEnd(error);
        return;
      }
      wait = Math.max(
        PAUSES_MS[Math.min(this.#failures, PAUSES_MS.length - 1)],
        (error.retryAfterS ?? 0) * 1000,
      );
      this.#failures += 1;
      this.#tell(error);
    } finally {
      this.#busy = false;
    }
    if (!this.#closed) this.#timer = setTimeout(() => this.send(), wait);
  }

  /** Stop sending; what is waiting stays in the storage. */
  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** Say goodbye while the page is being closed. */
  leave(atMs) {
    if (this.#closed) return;
    this.close();
    const stop = { id: randomName(), kind: "stop", at_ms: atMs, trial: null, data: {} };
    this.pending.push(stop);
    this.#keep();
    const actions = firstOf(this.pending);
    post("api/actions", { page: this.page, actions }, { keepalive: true, signal: undefined }).then(
      ({ results }) => this.#forget(results),
      () => {},
    );
  }

  /** What was refused, or skipped after it, was based on a state that is not the server's. */
  #forget(results) {
    const refused = results.find(({ result }) => result === "refused")?.id;
    // Nothing is based on a log.
    const harmless = this.pending.find(({ id }) => id === refused)?.kind === "viewed";
    const final = results.filter(({ result }) => !(harmless && result === "skipped"));
    const answered = new Set(final.map(({ id }) => id));
    this.pending = this.pending.filter(({ id }) => !answered.has(id));
    this.#keep();
  }

  #keep() {
    if (this.pending.length > 0) localStorage.setItem(this.#key, JSON.stringify(this.pending));
    else localStorage.removeItem(this.#key);
  }

  #tell(trouble) {
    const changed = this.trouble?.code !== trouble?.code;
    this.trouble = trouble;
    if (changed) this.#listener.onTrouble();
  }
}

/**
 * Send what earlier pages of a reader left behind.
 *
 * @throws {Refused} There is still no connection.
 */
export async function sendLeftovers(reader) {
  const prefix = `${PREFIX}${reader}/`;
  for (const key of Object.keys(localStorage).filter((name) => name.startsWith(prefix))) {
    let actions = JSON.parse(localStorage.getItem(key));
    while (actions.length > 0) {
      const batch = firstOf(actions);
      try {
        await post("api/actions", { page: key.slice(prefix.length), actions: batch });
      } catch (error) {
        if (!(error instanceof Refused) || error.passes) throw error;
        // Another page has taken over since, and asks for these answers again.
        actions = [];
      }
      actions = actions.slice(batch.length);
      localStorage.setItem(key, JSON.stringify(actions));
    }
    localStorage.removeItem(key);
  }
}

/** As many actions as one request may hold. */
function firstOf(actions) {
  const batch = [];
  let characters = 0;
  for (const action of actions.slice(0, MOST_ACTIONS)) {
    characters += JSON.stringify(action).length;
    if (batch.length > 0 && characters > MOST_CHARACTERS) break;
    batch.push(action);
  }
  return batch;
}
