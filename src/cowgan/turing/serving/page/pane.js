/** One volume on a canvas, with the sides of the patient, a caption and marks. */

import { make, makeSvg } from "./dom.js";
import { drawProjection, drawSlice } from "./raster.js";
import { caption } from "./texts.js";

/** Longest side of a picture that is computed; larger canvases magnify it smoothly. */
const MOST_SLICE_PX = 1600;
const MOST_PROJECTION_PX = 288;
const MOST_MOVING_PX = 144;
const MARK_RADIUS_PX = 14;
const SETTLED_MS = 120;

/** Shows one volume after another, all of one size. */
export class Pane {
  #frame;
  #voxels = null;
  #view;
  #marks = [];
  #letters = ["left", "right", "top", "bottom"].map((side) => make("span", { className: side }));
  #caption = make("span", { className: "caption" });
  #overlay = makeSvg("svg", { "aria-hidden": "true" });
  #canvas = make("canvas");
  #context = this.#canvas.getContext("2d", { alpha: false });
  #buffer = new OffscreenCanvas(1, 1);
  #image = null;
  #settling = 0;

  /**
   * @param {import("./geometry.js").Frame} frame Geometry of the volumes.
   * @param {string} title Text over the image.
   */
  constructor(frame, title) {
    this.#frame = frame;
    this.#view = frame.start();
    const heading = make("span", { className: "pane-title", textContent: title });
    this.element = make(
      "div",
      { className: "pane" },
      this.#canvas,
      this.#overlay,
      heading,
      this.#caption,
      ...this.#letters,
    );
    this.#canvas.setAttribute("role", "img");
    this.blank();
    new ResizeObserver(() => this.#draw()).observe(this.element);
  }

  get size() {
    return [this.element.clientWidth, this.element.clientHeight];
  }

  /** Load a volume, hidden. */
  load(voxels) {
    this.#voxels = voxels;
    this.#marks = [];
  }

  reveal() {
    this.element.classList.remove("blank");
    this.#draw();
  }

  /** Show nothing, not even to somebody who looks for pixels. */
  blank() {
    this.element.classList.add("blank");
    clearTimeout(this.#settling);
    this.#context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
    this.#overlay.replaceChildren();
  }

  showView(view, moving = false) {
    this.#view = view;
    this.#draw(moving);
  }

  /** @param {[number, number[]][]} marks Numbers and voxels (z, x, y). */
  showMarks(marks) {
    this.#marks = marks;
    this.#drawMarks();
  }

  /** Convert a distance in px to mm of the patient. */
  mm(rightPx, downPx) {
    return [rightPx / this.#pxPerMm, downPx / this.#pxPerMm];
  }

  /** @returns {?number[]} The voxel at a position in px from the centre of the canvas. */
  voxelAt(rightPx, downPx) {
    return this.#frame.voxelAt(...this.mm(rightPx, downPx), this.#view, this.#voxels);
  }

  get #blank() {
    return this.element.classList.contains("blank");
  }

  get #pxPerMm() {
    return this.#frame.pxPerMm(this.#view, ...this.size);
  }

  #draw(moving = false) {
    const [width, height] = this.size;
    if (this.#blank || width === 0 || height === 0) return;
    clearTimeout(this.#settling);
    const view = this.#view;
    const longest = Math.max(width, height) * devicePixelRatio;
    const most = !view.mip ? MOST_SLICE_PX : moving ? MOST_MOVING_PX : MOST_PROJECTION_PX;
    const scale = devicePixelRatio * Math.min(1, most / longest);
    const [across, down] = [Math.round(width * scale), Math.round(height * scale)];
    if (this.#image?.width !== across || this.#image.height !== down) {
      this.#image = new ImageData(across, down);
      Object.assign(this.#buffer, { width: across, height: down });
    }
    const draw = view.mip ? drawProjection : drawSlice;
    draw(this.#image, this.#voxels, this.#frame, view, this.#pxPerMm * scale);
    this.#show(Math.round(width * devicePixelRatio), Math.round(height * devicePixelRatio));
    this.#letters.forEach((letter, side) => {
      letter.textContent = this.#frame.letters(view)[side];
    });
    this.#caption.textContent = caption(view, this.#frame.display.shape[0]);
    this.#canvas.setAttribute("aria-label", this.#caption.textContent);
    this.#drawMarks();
    if (view.mip && moving) this.#settling = setTimeout(() => this.#draw(), SETTLED_MS);
  }

  #show(width, height) {
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      Object.assign(this.#canvas, { width, height });
    }
    this.#buffer.getContext("2d", { alpha: false }).putImageData(this.#image, 0, 0);
    this.#context.imageSmoothingQuality = "high";
    this.#context.drawImage(this.#buffer, 0, 0, width, height);
  }

  #drawMarks() {
    if (this.#blank) return;
    const [width, height] = this.size;
    const view = this.#view;
    this.#overlay.replaceChildren(
      ...this.#marks.map(([number, voxel]) => {
        const [right, down] = this.#frame.onScreen(voxel, view);
        const far = !view.mip && voxel[0] !== view.slice;
        const x = width / 2 + right * this.#pxPerMm;
        const y = height / 2 + down * this.#pxPerMm;
        const ring = { cx: x, cy: y, r: MARK_RADIUS_PX };
        return makeSvg(
          "g",
          { class: far ? "mark far" : "mark" },
          makeSvg("circle", { ...ring, class: "shade" }),
          makeSvg("circle", ring),
          makeSvg("text", { x: x + MARK_RADIUS_PX + 4, y: y - MARK_RADIUS_PX }, String(number)),
        );
      }),
    );
  }
}
