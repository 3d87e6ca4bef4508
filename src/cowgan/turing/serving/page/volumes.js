/** Volumes of the present case and the next, fetched ahead. */

import { volume } from "./server.js";

export class Volumes {
  #fetched = new Map();

  /** Fetch these volumes, and forget all others. */
  prepare(names) {
    for (const name of [...this.#fetched.keys()]) {
      if (!names.includes(name)) this.#fetched.delete(name);
    }
    for (const name of names) this.request(name).catch(() => {});
  }

  /**
   * @param {string} name As the server's state says.
   * @returns {Promise<Uint16Array>} Its voxels (z, x, y).
   */
  request(name) {
    if (!this.#fetched.has(name)) {
      const promise = volume(name);
      // A failed one is fetched again next time.
      promise.catch(() => this.#fetched.get(name) === promise && this.#fetched.delete(name));
      this.#fetched.set(name, promise);
    }
    return this.#fetched.get(name);
  }
}
