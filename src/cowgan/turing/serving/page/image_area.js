/** Image of a trial: one volume, or two side by side with a common view. */

import { Frame, SIDES } from "./geometry.js";
import { listen } from "./gestures.js";
import { Pane } from "./pane.js";
import * as texts from "./texts.js";

const STEPS = { up: 1, down: -1, farUp: 5, farDown: -5 };
const ZOOM_PER_PX = 1.006;
const ZOOM_PER_NOTCH = 1.15;
/** A swipe over this share of the image goes through all slices. */
const SWIPE_SHARE = 0.8;

/** Shows the volumes of a trial in a view that keys, mouse and fingers change. */
export class ImageArea {
  #element;
  #panes;
  #mipAllowed;
  #swiped = 0;

  /**
   * @param {HTMLElement} element Where the volumes are shown.
   * @param {object} reading Constants of the reading.
   * @param {{onView: function(object): void, onPick: function(number, number[]): void}} listener
   *   Told about each change of the view, and about clicked voxels.
   */
  constructor(element, reading, { onView, onPick }) {
    this.frame = new Frame(reading.display);
    this.view = this.frame.start();
    this.shown = false;
    this.brightness = false;
    this.onView = onView;
    this.#element = element;
    this.#mipAllowed = reading.mip;
    const titles = reading.design === "2afc" ? texts.SIDES : [""];
    this.#panes = titles.map((title) => new Pane(this.frame, title));
    element.replaceChildren(...this.#panes.map((pane) => pane.element));
    this.#panes.forEach((pane, number) => {
      listen(pane.element, {
        drag: (kind, right, down) => this.#drag(pane, kind, right, down),
        pinch: (factor, x, y) =>
          this.change(this.frame.zoomed(this.view, factor, ...pane.mm(x, y))),
        wheel: (notches, x, y, ctrl) => this.#wheel(pane, notches, x, y, ctrl),
        rest: () => (this.#swiped = 0),
        click: (x, y) => {
          const voxel = this.shown ? pane.voxelAt(x, y) : null;
          if (voxel !== null) onPick(number, voxel);
        },
      });
    });
  }

  get size() {
    return [this.#element.clientWidth, this.#element.clientHeight];
  }

  /** Load the volumes of a trial, hidden, in the initial view. */
  load(volumes) {
    this.blank();
    this.view = this.frame.start();
    this.#panes.forEach((pane, number) => {
      pane.load(volumes[number]);
      pane.showView(this.view);
    });
  }

  blank() {
    this.shown = false;
    for (const pane of this.#panes) pane.blank();
  }

  reveal() {
    this.shown = true;
    for (const pane of this.#panes) pane.reveal();
  }

  /** @param {{voxel: number[], volume: number}[]} marks Marks of the trial. */
  showMarks(marks) {
    this.#panes.forEach((pane, number) => {
      const numbered = marks.map(({ voxel, volume }, place) => [place + 1, voxel, volume]);
      pane.showMarks(numbered.filter(([, , volume]) => volume === number));
    });
  }

  /** Carry out an action that changes the view; others do nothing. */
  act(action) {
    if (action in STEPS) this.#scroll(STEPS[action]);
    else if (action === "resetWindow") this.change(this.frame.windowReset(this.view));
    else if (action === "mip" && this.#mipAllowed) {
      this.change({ ...this.view, mip: !this.view.mip });
    }
  }

  /** Show the projection from a side named in `SIDES`. */
  lookFrom(side) {
    this.change({ ...this.view, ...SIDES[side] });
  }

  change(view, moving = false) {
    const same = Object.keys(view).every((name) => String(view[name]) === String(this.view[name]));
    if (!this.shown || same) return;
    this.view = view;
    for (const pane of this.#panes) pane.showView(view, moving);
    this.onView(view);
  }

  #scroll(steps) {
    if (!this.view.mip) this.change(this.frame.scrolled(this.view, steps));
  }

  #drag(pane, kind, right, down) {
    const { frame, view } = this;
    const main = kind === "main" || kind === "swipe";
    if (kind === "zoom") this.change(frame.zoomed(view, ZOOM_PER_PX ** -down), true);
    else if (kind === "pan") this.change(frame.panned(view, ...pane.mm(right, down)), true);
    else if (kind === "swipe" && !this.brightness && !view.mip) this.#swipe(down);
    else if (main && view.mip && !this.brightness) {
      this.change(frame.turned(view, right, down), true);
    } else this.change(frame.windowed(view, right, down), true);
  }

  #swipe(down) {
    const pxPerSlice = (SWIPE_SHARE * this.size[1]) / this.frame.display.shape[0];
    this.#swiped -= down;
    const steps = Math.trunc(this.#swiped / pxPerSlice);
    this.#swiped -= steps * pxPerSlice;
    if (steps !== 0) this.#scroll(steps);
  }

  #wheel(pane, notches, x, y, ctrl) {
    if (this.view.mip || ctrl) {
      const factor = ZOOM_PER_NOTCH ** notches;
      this.change(this.frame.zoomed(this.view, factor, ...pane.mm(x, y)), true);
    } else this.#scroll(notches);
  }
}
