/**
 * View of a volume as plain values: slice, window, zoom, projection.
 *
 * The same geometry as `napari_cowgan.reading.view`, so that a case looks alike in the window and
 * in the browser. World axes point inferior, posterior and left, in mm. A case is an array in
 * network order (z, x, y), whose indices grow towards superior, left and anterior.
 *
 * @typedef {{slice: number, low: number, high: number, zoom: number,
 *   shift_mm: [number, number], mip: boolean, direction: Vector, up: Vector}} View
 * @typedef {[number, number, number]} Vector
 * @typedef {{shape: Vector, spacing_mm: Vector, contrast_limits: [number, number],
 *   start_slice: number}} Display
 */

const ZOOM_RANGE = [0.5, 12];
/** Share of the canvas that a volume fills initially. */
const MARGIN = 0.9;
/** Length of a drag that moves the window by the whole range of grey levels. */
const FULL_RANGE_PX = 500;
/** Smallest width of the window, as a share of the range. */
const NARROWEST = 0.01;
const DEGREES_PER_PX = 0.5;
const LETTERS = ["IS", "PA", "LR"];
/** View direction and up vector of the axial slice, which is seen from below. */
const AXIAL = { direction: [-1, 0, 0], up: [0, -1, 0] };

/** Sides from which a projection can be seen at once: from below, from the front, from the left. */
export const SIDES = {
  axial: AXIAL,
  coronal: { direction: [0, 1, 0], up: [-1, 0, 0] },
  sagittal: { direction: [0, 0, -1], up: [-1, 0, 0] },
};

const clamp = (value, least, most) => Math.min(Math.max(value, least), most);
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const scaled = (a, factor) => a.map((value) => value * factor);
const sum = (...vectors) => [0, 1, 2].map((i) => vectors.reduce((all, one) => all + one[i], 0));
const normalised = (a) => scaled(a, 1 / Math.hypot(...a));
const cross = (a, b) => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

/** Geometry of the volumes of a package, and changes of the view. */
export class Frame {
  /** @param {Display} display Display settings of the package. */
  constructor(display) {
    const [nz, nx, ny] = display.shape;
    const [sz, sx, sy] = display.spacing_mm;
    this.display = display;
    this.spacing = [sz, sy, sx];
    this.size = [nz * sz, ny * sy, nx * sx];
    this.middle = this.size.map((size, axis) => (size - this.spacing[axis]) / 2);
  }

  /** @returns {View} The initial view of every case. */
  start() {
    const [low, high] = this.display.contrast_limits;
    const slice = this.display.start_slice;
    return { slice, low, high, zoom: 1, shift_mm: [0, 0], mip: false, ...AXIAL };
  }

  /** @returns {{into: Vector, right: Vector, up: Vector}} Axes of the screen in the world. */
  axes(view) {
    const { direction, up } = view.mip ? view : AXIAL;
    return { into: direction, right: cross(direction, up), up };
  }

  pxPerMm(view, widthPx, heightPx) {
    return MARGIN * Math.min(widthPx / this.size[2], heightPx / this.size[1]) * view.zoom;
  }

  /** @returns {Vector} The point in mm at the centre of the canvas. */
  centre(view) {
    const { right, up } = this.axes(view);
    const [toRight, down] = view.shift_mm;
    return sum(this.middle, scaled(right, toRight), scaled(up, -down));
  }

  /** @returns {[number, number]} A voxel (z, x, y) in mm right of and below the canvas centre. */
  onScreen(voxel, view) {
    const { right, up } = this.axes(view);
    const offset = sum(this.worldOf(voxel), scaled(this.centre(view), -1));
    return [dot(offset, right), -dot(offset, up)];
  }

  /**
   * Return the voxel (z, x, y) at a point in mm from the canvas centre; null outside the volume.
   * In a projection, it is the brightest along the line of sight, which is the visible one.
   */
  voxelAt(rightMm, downMm, view, voxels) {
    const { into, right, up } = this.axes(view);
    const point = sum(this.centre(view), scaled(right, rightMm), scaled(up, -downMm));
    if (!view.mip) {
      point[0] = this.worldOf([view.slice, 0, 0])[0];
      return this.inside(this.voxelOf(point));
    }
    const reach = Math.hypot(...this.size);
    const step = Math.min(...this.spacing) / 2;
    let brightest = null;
    let most = -1;
    for (let along = -reach; along < reach; along += step) {
      const voxel = this.inside(this.voxelOf(sum(point, scaled(into, along))));
      const level = voxel === null ? -1 : voxels[this.offset(voxel)];
      if (level > most) {
        most = level;
        brightest = voxel;
      }
    }
    return brightest;
  }

  /** @returns {string[]} Sides of the patient at the left, right, top and bottom. */
  letters(view) {
    const { right, up } = this.axes(view);
    return [scaled(right, -1), right, up, scaled(up, -1)].map(letter);
  }

  scrolled(view, steps) {
    return { ...view, slice: clamp(view.slice + steps, 0, this.display.shape[0] - 1) };
  }

  /** Return the view with a wider window (to the right) or a darker picture (down). */
  windowed(view, rightPx, downPx) {
    const [least, most] = this.display.contrast_limits;
    const scale = (most - least) / FULL_RANGE_PX;
    const width = clamp(
      view.high - view.low + rightPx * scale,
      NARROWEST * (most - least),
      2 * (most - least),
    );
    const level = clamp((view.high + view.low) / 2 + downPx * scale, least, most);
    return { ...view, low: level - width / 2, high: level + width / 2 };
  }

  windowReset(view) {
    const [low, high] = this.display.contrast_limits;
    return { ...view, low, high };
  }

  /** Return the view magnified around a point in mm from the centre of the canvas. */
  zoomed(view, factor, rightMm = 0, downMm = 0) {
    const zoom = clamp(view.zoom * factor, ...ZOOM_RANGE);
    const kept = 1 - view.zoom / zoom;
    return this.panned({ ...view, zoom }, -rightMm * kept, -downMm * kept);
  }

  /** Return the view with the volume shifted, but not out of sight. */
  panned(view, rightMm, downMm) {
    const limit = Math.max(...this.size) / 2;
    const [right, down] = view.shift_mm;
    return {
      ...view,
      shift_mm: [clamp(right - rightMm, -limit, limit), clamp(down - downMm, -limit, limit)],
    };
  }

  /** Return the view with the projection rotated by a drag. */
  turned(view, rightPx, downPx) {
    const right = cross(view.direction, view.up);
    const across = (rightPx * DEGREES_PER_PX * Math.PI) / 180;
    const along = (downPx * DEGREES_PER_PX * Math.PI) / 180;
    const first = sum(scaled(view.direction, Math.cos(across)), scaled(right, Math.sin(across)));
    const direction = normalised(
      sum(scaled(first, Math.cos(along)), scaled(view.up, -Math.sin(along))),
    );
    const up = sum(scaled(view.up, Math.cos(along)), scaled(first, Math.sin(along)));
    // Keep rounding errors of many small rotations from adding up.
    const upright = normalised(sum(up, scaled(direction, -dot(up, direction))));
    return { ...view, direction, up: upright };
  }

  /** Return the index of a voxel in the array. */
  offset([z, x, y]) {
    const [, nx, ny] = this.display.shape;
    return (z * nx + x) * ny + y;
  }

  worldOf([z, x, y]) {
    const [nz, , ny] = this.display.shape;
    return [(nz - 1 - z) * this.spacing[0], (ny - 1 - y) * this.spacing[1], x * this.spacing[2]];
  }

  voxelOf(point) {
    const [nz, , ny] = this.display.shape;
    const [inferior, posterior, left] = point.map((mm, axis) =>
      Math.round(mm / this.spacing[axis]),
    );
    return [nz - 1 - inferior, left, ny - 1 - posterior];
  }

  inside(voxel) {
    const { shape } = this.display;
    return voxel.every((index, axis) => index >= 0 && index < shape[axis]) ? voxel : null;
  }
}

function letter(direction) {
  const sizes = direction.map(Math.abs);
  const axis = sizes.indexOf(Math.max(...sizes));
  return LETTERS[axis][direction[axis] > 0 ? 0 : 1];
}
