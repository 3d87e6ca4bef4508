/**
 * Pictures of a volume, computed without WebGL: hospital computers and remote desktops often have
 * none, and every reader must see the same.
 *
 * @typedef {import("./geometry.js").Frame} Frame
 * @typedef {import("./geometry.js").View} View
 */

const OPAQUE = 0xff000000;
const GREYS = Uint32Array.from({ length: 256 }, (_, level) => OPAQUE | (level * 0x010101));

/**
 * Draw a slice with linear interpolation, and black around it.
 *
 * @param {ImageData} image Filled.
 * @param {Uint16Array} voxels In network order (z, x, y).
 * @param {Frame} frame Geometry.
 * @param {View} view What is seen.
 * @param {number} pxPerMm Size of the volume in pixels of the image.
 */
export function drawSlice(image, voxels, frame, view, pxPerMm) {
  const [, nx, ny] = frame.display.shape;
  const [, posteriorMm, leftMm] = frame.centre(view);
  const [, sy, sx] = frame.spacing;
  const pixels = new Uint32Array(image.data.buffer);
  const columns = samples(image.width, pxPerMm, leftMm, sx, nx);
  const rows = samples(image.height, pxPerMm, posteriorMm, sy, ny);
  const slice = voxels.subarray(
    frame.offset([view.slice, 0, 0]),
    frame.offset([view.slice + 1, 0, 0]),
  );
  const line = new Float32Array(nx);
  const scale = 255 / (view.high - view.low);
  pixels.fill(OPAQUE);
  for (let row = 0; row < image.height; row++) {
    if (rows.first[row] < 0) continue;
    const share = rows.share[row];
    // The front of the head, where y ends, is at the top.
    const upper = ny - 1 - rows.first[row];
    const lower = ny - 1 - rows.second[row];
    for (let x = 0; x < nx; x++) {
      const start = slice[x * ny + upper];
      line[x] = start + (slice[x * ny + lower] - start) * share;
    }
    for (let column = 0, pixel = row * image.width; column < image.width; column++, pixel++) {
      const first = columns.first[column];
      if (first < 0) continue;
      const start = line[first];
      const level = start + (line[columns.second[column]] - start) * columns.share[column];
      pixels[pixel] = grey((level - view.low) * scale);
    }
  }
}

/**
 * Draw the maximum intensity projection with linear interpolation, and black around it.
 *
 * Takes the parameters of `drawSlice`.
 */
export function drawProjection(image, voxels, frame, view, pxPerMm) {
  const [nz, nx, ny] = frame.display.shape;
  const { into, right, up } = frame.axes(view);
  const pixels = new Uint32Array(image.data.buffer);
  const scale = 255 / (view.high - view.low);
  const centre = frame.centre(view);
  const stepMm = Math.min(...frame.spacing) / 2;
  // In voxels (z, x, y), where a ray advances along a straight line.
  const ray = inVoxels(into, stepMm, frame);
  const toRight = inVoxels(right, 1 / pxPerMm, frame);
  const down = inVoxels(up, -1 / pxPerMm, frame);
  const middle = [
    nz - 1 - centre[0] / frame.spacing[0],
    centre[2] / frame.spacing[2],
    ny - 1 - centre[1] / frame.spacing[1],
  ];
  const last = [nz - 1, nx - 1, ny - 1];
  const sizeX = nx * ny;
  for (let row = 0, pixel = 0; row < image.height; row++) {
    const below = row + 0.5 - image.height / 2;
    for (let column = 0; column < image.width; column++, pixel++) {
      const beside = column + 0.5 - image.width / 2;
      let begin = -Infinity;
      let end = Infinity;
      const point = [0, 0, 0];
      for (let axis = 0; axis < 3; axis++) {
        const at = middle[axis] + toRight[axis] * beside + down[axis] * below;
        point[axis] = at;
        if (Math.abs(ray[axis]) < 1e-9) {
          if (at < -0.5 || at > last[axis] + 0.5) end = -Infinity;
          continue;
        }
        const one = (-0.5 - at) / ray[axis];
        const other = (last[axis] + 0.5 - at) / ray[axis];
        begin = Math.max(begin, Math.min(one, other));
        end = Math.min(end, Math.max(one, other));
      }
      let most = -1;
      for (let step = Math.ceil(begin); step <= end; step++) {
        const z = within(point[0] + ray[0] * step, last[0]);
        const x = within(point[1] + ray[1] * step, last[1]);
        const y = within(point[2] + ray[2] * step, last[2]);
        const z0 = z | 0;
        const x0 = x | 0;
        const y0 = y | 0;
        const dz = z0 < last[0] ? sizeX : 0;
        const dx = x0 < last[1] ? ny : 0;
        const dy = y0 < last[2] ? 1 : 0;
        const here = z0 * sizeX + x0 * ny + y0;
        const fy = y - y0;
        const fx = x - x0;
        const near = mix(
          mix(voxels[here], voxels[here + dy], fy),
          mix(voxels[here + dx], voxels[here + dx + dy], fy),
          fx,
        );
        const far = mix(
          mix(voxels[here + dz], voxels[here + dz + dy], fy),
          mix(voxels[here + dz + dx], voxels[here + dz + dx + dy], fy),
          fx,
        );
        const level = mix(near, far, z - z0);
        if (level > most) most = level;
      }
      pixels[pixel] = most < 0 ? OPAQUE : grey((most - view.low) * scale);
    }
  }
}

const mix = (a, b, share) => a + (b - a) * share;
const within = (value, most) => (value < 0 ? 0 : value > most ? most : value);
const grey = (level) => GREYS[level <= 0 ? 0 : level >= 255 ? 255 : (level + 0.5) | 0];

/** A direction of the world, of some length in mm, as steps along (z, x, y). */
function inVoxels([inferior, posterior, left], mm, frame) {
  const [sz, sy, sx] = frame.spacing;
  return [(-inferior * mm) / sz, (left * mm) / sx, (-posterior * mm) / sy];
}

/** Between which two voxels each pixel of a line lies, and where; -1 outside the volume. */
function samples(count, pxPerMm, centreMm, spacing, voxels) {
  const first = new Int32Array(count);
  const second = new Int32Array(count);
  const share = new Float32Array(count);
  for (let pixel = 0; pixel < count; pixel++) {
    const at = (centreMm + (pixel + 0.5 - count / 2) / pxPerMm) / spacing;
    const lower = Math.floor(at);
    first[pixel] = at < -0.5 || at > voxels - 0.5 ? -1 : Math.max(lower, 0);
    second[pixel] = Math.min(lower + 1, voxels - 1);
    share[pixel] = at - lower;
  }
  return { first, second, share };
}
