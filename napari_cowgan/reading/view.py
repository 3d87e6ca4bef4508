"""View of a volume as plain values: slice, window, zoom, projection.

World axes are those of `napari_cowgan.viewer.display`: inferior, posterior, left, in mm. A case is
an array in network order (z, x, y), whose indices grow towards superior, left and anterior.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from cowgan.turing.reading.manifest import Display

Vector = NDArray[np.float64]

ZOOM_RANGE = (0.5, 12.0)
_MARGIN = 0.9
"""Share of the canvas that a volume fills initially."""
_FULL_RANGE_PX = 500
"""Length of a drag that moves the window by the whole range of grey levels."""
_NARROWEST = 0.01
"""Smallest width of the window, as a share of the range."""
_DEGREES_PER_PX = 0.5
_LETTERS = (("I", "S"), ("P", "A"), ("L", "R"))
_AXIAL = ((-1.0, 0.0, 0.0), (0.0, -1.0, 0.0))
"""View direction of an axial slice (from below) and up vector (the front)."""


@dataclass(frozen=True)
class View:
    """View of a volume.

    Parameters
    ----------
    slice : int
        Index along z.
    low, high : float
        Grey levels that are black and white.
    zoom : float
        Magnification; 1 fits the volume to the canvas.
    shift_mm : tuple of float
        Shift of the canvas centre from the volume's, to the right and down.
    mip : bool
        Maximum intensity projection instead of a slice.
    direction, up : tuple of float
        View direction and up vector of the projection, unit vectors in world axes.
    """

    slice: int
    low: float
    high: float
    zoom: float = 1.0
    shift_mm: tuple[float, float] = (0.0, 0.0)
    mip: bool = False
    direction: tuple[float, float, float] = _AXIAL[0]
    up: tuple[float, float, float] = _AXIAL[1]

    def axes(self) -> tuple[Vector, Vector, Vector]:
        """Return the unit vectors that point into the screen, right and up."""
        direction, up = (self.direction, self.up) if self.mip else _AXIAL
        into, upwards = np.array(direction), np.array(up)
        return into, np.cross(into, upwards), upwards

    def turned(self, right_px: float, down_px: float) -> Self:
        """Return the view with the projection rotated by a drag."""
        direction, up = np.array(self.direction), np.array(self.up)
        right = np.cross(direction, up)
        angle = np.radians(_DEGREES_PER_PX * right_px)
        direction = direction * np.cos(angle) + right * np.sin(angle)
        angle = np.radians(_DEGREES_PER_PX * down_px)
        direction, up = (
            direction * np.cos(angle) - up * np.sin(angle),
            up * np.cos(angle) + direction * np.sin(angle),
        )
        # Keep rounding errors of many small rotations from adding up.
        direction /= np.linalg.norm(direction)
        up -= direction * (up @ direction)
        up /= np.linalg.norm(up)
        return replace(self, direction=_tuple(direction), up=_tuple(up))


@dataclass(frozen=True)
class Frame:
    """Geometry of the volumes of a package, and changes of the view.

    Parameters
    ----------
    display : Display
        Display settings of the manifest.
    """

    display: Display

    @property
    def start(self) -> View:
        """Initial view of every case."""
        low, high = self.display.contrast_limits
        return View(self.display.start_slice, low, high)

    @property
    def spacing(self) -> Vector:
        """Voxel size along the world axes."""
        sz, sx, sy = self.display.spacing_mm
        return np.array((sz, sy, sx))

    @property
    def size(self) -> Vector:
        """Extent of the volume along the world axes, from the edges of its voxels."""
        nz, nx, ny = self.display.shape
        return np.array((nz, ny, nx)) * self.spacing

    @property
    def middle(self) -> Vector:
        """Middle of the volume."""
        return (self.size - self.spacing) / 2

    def px_per_mm(self, view: View, width_px: float, height_px: float) -> float:
        """Return the magnification on a canvas."""
        _, down_mm, right_mm = self.size
        return float(_MARGIN * min(width_px / right_mm, height_px / down_mm) * view.zoom)

    def centre(self, view: View) -> Vector:
        """Return the point at the centre of the canvas."""
        _, right, up = view.axes()
        return self.middle + right * view.shift_mm[0] - up * view.shift_mm[1]

    def on_screen(self, voxel: tuple[int, int, int], view: View) -> tuple[float, float]:
        """Return the position of a voxel (z, x, y) in mm right of and below the canvas centre."""
        _, right, up = view.axes()
        offset = self._world(voxel) - self.centre(view)
        return float(offset @ right), float(-(offset @ up))

    def voxel_at(
        self, right_mm: float, down_mm: float, view: View, voxels: NDArray[np.uint16]
    ) -> tuple[int, int, int] | None:
        """Return the voxel (z, x, y) at a point of the canvas; None outside the volume.

        In a projection, it is the brightest along the line of sight, which is the visible one.
        """
        into, right, up = view.axes()
        point = self.centre(view) + right * right_mm - up * down_mm
        if not view.mip:
            point[0] = self._world((view.slice, 0, 0))[0]
            points = point[None]
        else:
            reach = float(np.linalg.norm(self.size))
            along = np.arange(-reach, reach, self.spacing.min() / 2)
            points = point + along[:, None] * into
        indices = self._indices(points)
        inside = ((indices >= 0) & (indices < self.display.shape)).all(axis=1)
        if not inside.any():
            return None
        indices = indices[inside]
        z, x, y = indices[np.argmax(voxels[tuple(indices.T)])].tolist()
        return z, x, y

    def letters(self, view: View) -> tuple[str, str, str, str]:
        """Return the side of the patient at the left, right, top and bottom of the screen."""
        _, right, up = view.axes()
        return _letter(-right), _letter(right), _letter(up), _letter(-up)

    def scrolled(self, view: View, steps: int) -> View:
        """Return the view moved up by a number of slices, within the volume."""
        last = self.display.shape[0] - 1
        return replace(view, slice=min(max(view.slice + steps, 0), last))

    def windowed(self, view: View, right_px: float, down_px: float) -> View:
        """Return the view with a wider window (to the right) or a darker picture (down)."""
        least, most = self.display.contrast_limits
        scale = (most - least) / _FULL_RANGE_PX
        width = max(view.high - view.low + right_px * scale, _NARROWEST * (most - least))
        level = min(max((view.high + view.low) / 2 + down_px * scale, least), most)
        width = min(width, 2.0 * (most - least))
        return replace(view, low=level - width / 2, high=level + width / 2)

    def window_reset(self, view: View) -> View:
        """Return the view with the initial window."""
        start = self.start
        return replace(view, low=start.low, high=start.high)

    def zoomed(self, view: View, factor: float, right_mm: float = 0, down_mm: float = 0) -> View:
        """Return the view magnified around a point relative to the centre of the canvas."""
        least, most = ZOOM_RANGE
        zoom = min(max(view.zoom * factor, least), most)
        kept = 1 - view.zoom / zoom
        return self.panned(replace(view, zoom=zoom), -right_mm * kept, -down_mm * kept)

    def panned(self, view: View, right_mm: float, down_mm: float) -> View:
        """Return the view with the volume shifted, but not out of sight."""
        limit = float(self.size.max()) / 2
        right, down = (
            min(max(old - by, -limit), limit)
            for old, by in zip(view.shift_mm, (right_mm, down_mm), strict=True)
        )
        return replace(view, shift_mm=(right, down))

    def _world(self, voxel: tuple[int, int, int]) -> Vector:
        z, x, y = voxel
        nz, _, ny = self.display.shape
        return np.array((nz - 1 - z, ny - 1 - y, x)) * self.spacing

    def _indices(self, points: Vector) -> NDArray[np.int64]:
        nz, _, ny = self.display.shape
        inferior, posterior, left = (points / self.spacing).round().astype(np.int64).T
        return np.stack((nz - 1 - inferior, left, ny - 1 - posterior), axis=1)


def _letter(direction: Vector) -> str:
    axis = int(np.argmax(np.abs(direction)))
    return _LETTERS[axis][0 if direction[axis] > 0 else 1]


def _tuple(vector: Vector) -> tuple[float, float, float]:
    first, second, third = vector.tolist()
    return first, second, third
