/** Log of how a reader viewed an image, aggregated into few actions. */

/** The server takes a thousand at once. */
const MOST_CHANGES = 900;

export class ViewingLog {
  #record;
  #view = null;
  #slices = new Set();
  #usedMip = false;
  #shownAt = 0;
  #since = 0;
  #sliceMs = new Map();
  #mipMs = 0;
  #changes = [];

  /** Time that the case has been on screen. */
  viewedMs = 0;

  /** @param {function(object, number): void} record Called with the data of one `viewed`. */
  constructor(record) {
    this.#record = record;
  }

  /** Start with a new case. */
  begin(view, now) {
    this.#slices.clear();
    this.#usedMip = false;
    this.viewedMs = 0;
    this.#shownAt = now;
    this.#clear();
    this.resume(view, now);
  }

  /** Log a change of the view. */
  change(view, now) {
    const before = this.#view;
    if (before === null) return;
    this.#addTime(now);
    const at = Math.round(now - this.#shownAt);
    for (const name of Object.keys(view)) {
      if (String(before[name]) !== String(view[name])) this.#changes.push([at, name, view[name]]);
    }
    this.#setView(view);
    if (this.#changes.length > MOST_CHANGES) this.flush(now);
  }

  /** Resume after a pause. */
  resume(view, now) {
    this.#since = now;
    this.#setView(view);
  }

  /** Record what is logged; the image is no longer on screen. */
  rest(now) {
    this.flush(now);
    this.#view = null;
  }

  /** Record what is logged so far. */
  flush(now) {
    if (this.#view === null) return;
    this.#addTime(now);
    const rounded = [...this.#sliceMs].map(([slice, ms]) => [slice, Math.round(ms)]);
    const data = {
      slice_ms: Object.fromEntries(rounded),
      mip_ms: Math.round(this.#mipMs),
      changes: this.#changes,
    };
    this.#record(data, now);
    this.#clear();
  }

  /** @returns {?number} Share of slices that were on screen; null if a projection showed all. */
  seen(slices) {
    return this.#usedMip ? null : this.#slices.size / slices;
  }

  #setView(view) {
    this.#view = view;
    if (view.mip) this.#usedMip = true;
    else this.#slices.add(view.slice);
  }

  #addTime(now) {
    // Negative where the computer slept: then the time of the last sign of life counts.
    const passed = Math.max(now - this.#since, 0);
    const { mip, slice } = this.#view;
    if (mip) this.#mipMs += passed;
    else this.#sliceMs.set(slice, (this.#sliceMs.get(slice) ?? 0) + passed);
    this.viewedMs += passed;
    this.#since = now;
  }

  #clear() {
    this.#sliceMs = new Map();
    this.#mipMs = 0;
    this.#changes = [];
  }
}
