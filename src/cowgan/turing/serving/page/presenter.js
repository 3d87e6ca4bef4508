/** Presentation of a case: fetches its volumes, and shows them after a moment of black. */

/** Time that the screen is black before each case, so that cases do not flicker into each other. */
const BLANK_MS = 150;
const LONG_LOADING_MS = 1000;

export class Presenter {
  #image;
  #volumes;
  #current = null;

  /** @param {import("./image_area.js").ImageArea} image Where cases are shown. */
  constructor(image, volumes) {
    this.#image = image;
    this.#volumes = volumes;
  }

  /**
   * Blank the screen, then show volumes once they are here.
   *
   * @param {string[]} names Volumes of the trial.
   * @param {{onDrawn: function(number): void, onLong: function(): void,
   *   onFailure: function(Error): void}} listener Told when they are on screen, that it takes
   *   long, and that they cannot be fetched.
   */
  async present(names, { onDrawn, onLong, onFailure }) {
    this.blank();
    const current = {};
    this.#current = current;
    const long = setTimeout(onLong, LONG_LOADING_MS);
    try {
      const [volumes] = await Promise.all([
        Promise.all(names.map((name) => this.#volumes.request(name))),
        new Promise((done) => setTimeout(done, BLANK_MS)),
      ]);
      if (this.#current !== current) return;
      this.#image.load(volumes);
      this.#image.reveal();
      const drawn = await nextFrame();
      if (this.#current === current) onDrawn(drawn);
    } catch (error) {
      if (this.#current === current) onFailure(error);
    } finally {
      clearTimeout(long);
    }
  }

  /** Blank the screen, even if a case is about to be shown. */
  blank() {
    this.#current = null;
    this.#image.blank();
  }
}

/** Wait until what has been drawn is on screen. */
function nextFrame() {
  return new Promise((done) => {
    requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now())));
  });
}
