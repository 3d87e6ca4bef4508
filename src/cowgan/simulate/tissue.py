"""Random tissue around the arteries of a simulated head.

The Circle of Willis lies in cisterns of CSF, so CSF follows the arteries; around it are cortex and
white matter, brainstem, skull base and, in a large field of view, orbits, skull and scalp.
Coordinates are millimetres from the centre of the circle, along (z, x, y) = (superior, left,
anterior).
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, zoom

from cowgan.simulate.gradient_echo import steady_state, t1_ms
from cowgan.simulate.grid import CircleGrid, Field
from cowgan.simulate.parameters import TofParameters

Coordinates = tuple[Field, Field, Field]

_WARP_MM = 1.6
_PROTON_DENSITY = {
    "white matter": 0.70,
    "grey matter": 0.80,
    "CSF": 1.0,
    "fat": 0.9,
    "muscle": 0.75,
}
_NO_TRANSFER = ("CSF", "fat")
# CSF pulsates, which dephases part of its signal.
_CSF_KEPT = 0.5
_CORTEX_MM = 3.0
_COARSE_MM = 1.2
_SKULL_MM = 15.0
_BONE = 0.08
_MARROW_FAT = 0.5


def tissue_signal(
    grid: CircleGrid,
    vessel: NDArray[np.bool_],
    flip_angle: Field,
    parameters: TofParameters,
    random: np.random.RandomState,
) -> Field:
    """Return the signal of all tissue except arteries.

    Parameters
    ----------
    grid : CircleGrid
        Voxel grid.
    vessel : ndarray of bool, shape (z, x, y)
        Artery voxels.
    flip_angle : ndarray
        In radians, broadcastable to the grid.
    parameters : TofParameters
        Acquisition and tissue parameters.
    random : RandomState
        Source of anatomical detail.

    Returns
    -------
    ndarray, shape (z, x, y), float32
        Relative to the equilibrium magnetisation.
    """
    signal = {name: _signal(name, flip_angle, parameters) for name in _PROTON_DENSITY}
    to_vessel = _distance_mm(grid, vessel)
    fine, medium, coarse = (grid.noise(random, scale) for scale in (1.6, 5.0, 14.0))
    place = _warped(grid, random)
    sulci = _sulci(place, grid.noise(random, 7.0), grid.noise(random, 9.0))
    csf = _csf_surface(place, to_vessel, sulci, parameters.cistern_width_mm, coarse)
    cortex = _inside(csf - _CORTEX_MM - medium, 1.5)
    # Contrast between grey and white matter is faint in TOF, and their border ragged.
    brain = _mixed(signal["white matter"], signal["grey matter"], cortex)
    brain *= 1 + parameters.texture * (0.7 * fine + 0.5 * medium + 0.5 * coarse)
    # Pulsating CSF is dark in the middle of a cistern and shades into tissue at its walls.
    soft = _mixed(brain, signal["CSF"] * (1 + 0.2 * medium), _inside(csf - 0.3 * fine, 1.1))
    base = _skull_base(place, signal, fine, medium, grid.noise(random, 7.0), random)
    # The cavernous sinus wraps the carotid arteries where they pass the skull base.
    sinus = _inside(to_vessel - 3.0 - 0.7 * medium, 0.6)
    base = _mixed(base, signal["muscle"] * (0.9 + 0.08 * fine), sinus)
    head = _mixed(soft, base, _inside(_floor_surface(place, medium), 0.6))
    head = _with_orbits(place, head, signal, fine)
    return _with_skull(grid, head, signal, coarse)


def _signal(material: str, flip_angle: Field, parameters: TofParameters) -> Field:
    value = _PROTON_DENSITY[material] * steady_state(
        flip_angle,
        parameters.repetition_time_ms,
        t1_ms(material, parameters.field_strength_t),
    )
    if material not in _NO_TRANSFER:
        value = value * (1 - parameters.magnetisation_transfer)
    if material == "CSF":
        value = value * _CSF_KEPT
    if material == "fat":
        value = value * (1 - parameters.fat_suppression)
    return value.astype(np.float32)


def _inside(surface: Field, softness_mm: float = 0.8) -> Field:
    """Return the share of each voxel that lies inside a surface: 0 to 1."""
    return np.clip(0.5 - surface / (2 * softness_mm), 0, 1)


def _ellipsoid(x: Field, y: Field, z: Field) -> Field:
    """Return the signed distance from the unit sphere."""
    return np.sqrt(x**2 + y**2 + z**2) - 1


def _mixed(outside: Field, inside: Field | float, share: Field) -> Field:
    return outside + share * (inside - outside)


def _distance_mm(grid: CircleGrid, vessel: NDArray[np.bool_]) -> Field:
    """Return the distance to the nearest vessel voxel, exact to about a millimetre."""
    stride = [max(1, round(_COARSE_MM / size)) for size in grid.spacing_mm]
    small = [-(-n // step) for n, step in zip(grid.shape, stride, strict=True)]
    padding = [(0, n * step - m) for n, step, m in zip(small, stride, grid.shape, strict=True)]
    blocks = np.pad(vessel, padding).reshape(
        small[0], stride[0], small[1], stride[1], small[2], stride[2]
    )
    outside = ~blocks.any(axis=(1, 3, 5))
    if outside.all():
        return np.full(grid.shape, np.inf, np.float32)
    sampling = [step * size for step, size in zip(stride, grid.spacing_mm, strict=True)]
    distance = distance_transform_edt(outside, sampling=sampling).astype(np.float32)
    distance = zoom(distance, stride, order=1, grid_mode=True, mode="nearest")
    return distance[tuple(slice(n) for n in grid.shape)]


def _warped(grid: CircleGrid, random: np.random.RandomState) -> Coordinates:
    """Return coordinates distorted by smooth noise, for natural shapes."""
    z, x, y = grid.axes_mm
    bend = [_WARP_MM * grid.noise(random, 11.0) for _ in range(3)]
    return z + bend[0], x + bend[1], y + bend[2]


def _sulci(place: Coordinates, fold: Field, patchy: Field) -> Field:
    """Sulci: curved sheets, more frequent away from the circle."""
    z, x, y = place
    away = np.sqrt((x / 1.3) ** 2 + (y + 3) ** 2 + z**2)
    width = np.clip(0.04 * (away - 14), 0.2, 1.5) * (1 + 0.5 * patchy)
    # The zero level of smooth noise is such a sheet.
    return 7.0 * np.abs(fold) - width


def _csf_surface(
    place: Coordinates, to_vessel: Field, sulci: Field, width_mm: float, coarse: Field
) -> Field:
    """Cisterns around arteries, the suprasellar cistern, sulci and the third ventricle."""
    z, x, y = place
    around = to_vessel - width_mm * (1 + 0.45 * coarse)
    # Five-pointed, from the interhemispheric fissure over both sylvian fissures to the crura.
    reach = 10.5 + 2.5 * np.cos(5 * np.arctan2(x, y + 2))
    suprasellar = np.maximum(np.hypot(x, y + 2) - reach, np.abs(z + 3) - 6)
    third = np.maximum(np.abs(x) - 1.8, np.maximum(np.abs(y + 8) - 9, 6 - z))
    lateral = 5 * _ellipsoid((np.abs(x) - 9) / 5, (y + 10) / 28, (z - 30) / 8)
    ventricle = np.minimum(third, lateral)
    # The fissure between the hemispheres: in front, and everywhere above the callosum.
    midline = np.maximum(np.abs(x) - 0.9, np.minimum(14 - y + 0.3 * z, 34 - z))
    csf = np.minimum(np.minimum(around, suprasellar), np.minimum(sulci, ventricle))
    stem = np.maximum(_brainstem(place), 2.4 - to_vessel)
    csf = np.minimum(np.minimum(csf, midline), np.abs(stem - 1.8) - 1.6)
    chiasm = 3 * _ellipsoid(x / 7, (y - 4) / 3.5, (z - 3) / 2.2)
    return np.maximum(np.maximum(csf, -stem), -chiasm)


def _brainstem(place: Coordinates) -> Field:
    """Pons and midbrain, the latter with its two crura."""
    z, x, y = place
    # Wider at the pons than at the midbrain, and leaning back.
    lean = y + 25 - 0.25 * z
    wide = 15 - 0.15 * z
    notch = 3.5 * np.exp(-((x / 4) ** 2) - ((lean - 11) / 5) ** 2) * np.clip((z + 6) / 6, 0, 1)
    return np.maximum(12 * (np.hypot(x / wide, lean / 12) - 1) + notch, z - 14)


def _floor_surface(place: Coordinates, medium: Field) -> Field:
    """Skull base: negative below sphenoid, clivus and petrous ridges."""
    z, x, y = place
    sphenoid = 21 * np.exp(-((x / 15) ** 2) - ((y - 10) / 14) ** 2)
    sella = -5 * np.exp(-((x / 7) ** 2) - ((y - 2) / 5) ** 2)
    frontal = 19 / (1 + np.exp((12 - y) / 3)) * np.exp(-((x / 45) ** 2))
    wing = 14 * np.exp(-(((y - 18 + 0.25 * np.abs(x)) / 5) ** 2))
    petrous = 10 * np.exp(-(((y - 2 + 0.5 * np.abs(x)) / 7) ** 2)) * np.clip(np.abs(x) - 12, 0, 1)
    clivus = 8 * np.exp(-((x / 13) ** 2) - ((y + 6) / 8) ** 2)
    height = np.maximum(sphenoid + sella, np.maximum(frontal, wing))
    height = np.maximum(height, np.maximum(petrous, clivus)) - 26
    return z - height - 0.6 * medium


def _skull_base(
    place: Coordinates,
    signal: dict[str, Field],
    fine: Field,
    medium: Field,
    patchy: Field,
    random: np.random.RandomState,
) -> Field:
    """Bone with fatty marrow, and air in the sphenoid sinus; muscle below."""
    z, x, y = place
    bone = _BONE * signal["muscle"]
    marrow = _MARROW_FAT * signal["fat"] * (1 + 0.15 * fine)
    marrow_share = _inside(2.5 - 3 * patchy - medium)
    base = _mixed(bone, marrow, marrow_share)
    size = float(random.uniform(8, 12))
    sinus = size * _ellipsoid(x / size, (y - 14) / 11, (z + 19) / 9)
    base = base * (1 - _inside(sinus + medium, 0.6))
    below = z + 32 + 2 * medium
    return _mixed(base, signal["muscle"] * (1 + 0.1 * fine), _inside(below, 3.0))


def _with_orbits(place: Coordinates, head: Field, signal: dict[str, Field], fine: Field) -> Field:
    z, x, y = place
    side = np.abs(x)
    # A cone of fat that opens forwards, with the eyeball in front and the muscles inside.
    depth = y - 24
    axis = 14 + 0.42 * depth
    radius = np.hypot(side - axis, z + 9)
    cone = np.maximum(radius - np.clip(3 + 0.5 * depth, 0, 18), np.maximum(-depth, depth - 38))
    ring = np.abs(radius - np.clip(1 + 0.33 * depth, 0, 12)) - 1.4
    eye = 12 * _ellipsoid((side - 31) / 12, (y - 58) / 12, (z + 9) / 12)
    fat = signal["fat"] * (1 + 0.06 * fine)
    fat = _mixed(fat, signal["muscle"], _inside(ring))
    head = _mixed(head, fat, _inside(cone))
    return _mixed(head, signal["CSF"], _inside(eye))


def _with_skull(grid: CircleGrid, head: Field, signal: dict[str, Field], coarse: Field) -> Field:
    """CSF, skull and scalp around the brain, and air outside."""
    z, x, y = grid.axes_mm
    depth = 1.5 * coarse - 84 * _ellipsoid(x / 78, (y + 16) / 96, (z - 22) / 98)
    if depth.min() > _SKULL_MM:
        return head
    scalp = signal["fat"] * (1 + 0.1 * coarse)
    bone = _mixed(
        _BONE * signal["muscle"], _MARROW_FAT * signal["fat"], _inside(np.abs(depth - 9) - 1.2)
    )
    for content, inner in ((signal["CSF"], _SKULL_MM), (bone, 12.5), (scalp, 6.0), (0.0, 0.0)):
        head = _mixed(head, content, _inside(depth - inner))
    return head
