"""Maximum intensity projections from any side."""

# Pillow and scipy are only partly typed.
# mypy: allow-untyped-calls

from dataclasses import dataclass
from itertools import product
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import affine_transform
from scipy.spatial.transform import Rotation, Slerp

from cowgan.errors import CowganError
from cowgan.volume.projection import Plane
from cowgan.volume.volume import Volume

MARGIN = 1.05
"""At a zoom of 1, the shorter side of a picture shows the longest side of the volume times this."""

ZOOMS = (0.1, 100.0)
_PLANES: dict[Plane, tuple[float, float]] = {
    "axial": (0.0, -90.0),
    "coronal": (0.0, 0.0),
    "sagittal": (90.0, 0.0),
}


@dataclass(frozen=True)
class Camera:
    """A point of view, without perspective.

    Attributes
    ----------
    azimuth_deg : float
        Side from which the head is seen: 0 from the front, 90 from the patient's left.
    elevation_deg : float
        Height from which it is seen: 90 from above, -90 from below.
    roll_deg : float
        Clockwise turn of the picture.
    zoom : float
        1 shows the whole volume, 2 half of its length.
    centre_mm : tuple of float
        Point in the middle of the picture, from the centre of the volume towards the patient's
        left, front and head.

    Raises
    ------
    CowganError
        A value is not finite, or the zoom is out of range.
    """

    azimuth_deg: float = 0.0
    elevation_deg: float = -90.0
    roll_deg: float = 0.0
    zoom: float = 1.0
    centre_mm: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        if not np.isfinite([*self.angles_deg, self.zoom, *self.centre_mm]).all():
            raise CowganError("A camera holds a value that is not a finite number.")
        if not ZOOMS[0] <= self.zoom <= ZOOMS[1]:
            raise CowganError(f"The zoom must lie between {ZOOMS[0]} and {ZOOMS[1]:g}.")

    @property
    def angles_deg(self) -> tuple[float, float, float]:
        """Azimuth, elevation and roll."""
        return self.azimuth_deg, self.elevation_deg, self.roll_deg

    @classmethod
    def of_plane(cls, plane: Plane) -> Self:
        """Return the camera that looks as `cowgan.volume.mip` does."""
        return cls(*_PLANES[plane])

    @classmethod
    def from_axes(
        cls,
        right: NDArray[np.float64],
        up: NDArray[np.float64],
        zoom: float,
        centre_mm: tuple[float, float, float],
    ) -> Self:
        """Return the camera whose picture has these axes; see `axes`."""
        towards = np.cross(_to_right_handed(right), _to_right_handed(up))
        elevation = np.degrees(np.arcsin(np.clip(towards[2], -1, 1)))
        # From above or below, azimuth and roll turn about the same axis; the roll is then 0.
        steep = np.hypot(towards[0], towards[1]) < 1e-6
        ahead = -np.sign(towards[2]) * _to_right_handed(up) if steep else towards
        azimuth = np.degrees(np.arctan2(-ahead[0], ahead[1]))
        level_right, level_up = cls(azimuth, elevation).axes
        roll = np.degrees(np.arctan2(-np.dot(up, level_right), np.dot(up, level_up)))
        return cls(float(azimuth), float(elevation), float(roll), zoom, centre_mm)

    @property
    def axes(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Directions to the right and up in the picture, as unit vectors (left, front, head)."""
        azimuth, elevation, roll = np.radians(self.angles_deg)
        right = np.array([np.cos(azimuth), -np.sin(azimuth), 0.0])
        up = np.array(
            [
                -np.sin(elevation) * np.sin(azimuth),
                -np.sin(elevation) * np.cos(azimuth),
                np.cos(elevation),
            ]
        )
        return (
            np.cos(roll) * right + np.sin(roll) * up,
            np.cos(roll) * up - np.sin(roll) * right,
        )

    def towards(self, end: "Camera", t: float, turns: int = 0) -> "Camera":
        """Return the camera at `t`, 0 to 1, on the shortest rotation to another camera.

        Parameters
        ----------
        end : Camera
            Reached at a `t` of 1.
        t : float
            Share of the way.
        turns : int
            Whole turns about the head-foot axis made on the way; negative ones go the other way.
        """
        if t == 0 or (self == end and not turns):
            return self
        if t == 1:
            return end
        ends = Rotation.from_matrix([_rotation(self), _rotation(end)])
        right, up, _ = Slerp([0, 1], ends)(t).as_matrix()
        centre = (1 - t) * np.array(self.centre_mm) + t * np.array(end.centre_mm)
        camera = Camera.from_axes(
            _to_right_handed(right),
            _to_right_handed(up),
            self.zoom ** (1 - t) * end.zoom**t,
            (float(centre[0]), float(centre[1]), float(centre[2])),
        )
        turned = camera.azimuth_deg + 360 * turns * t
        return Camera(turned, *camera.angles_deg[1:], camera.zoom, camera.centre_mm)


def mm_per_pixel(volume: Volume, camera: Camera, shape: tuple[int, int]) -> float:
    """Return the size of a pixel of a picture of `shape` (rows, columns)."""
    return longest_side_mm(volume) * MARGIN / (camera.zoom * min(shape))


def longest_side_mm(volume: Volume) -> float:
    """Return the length of the longest side of a volume."""
    return float(np.max(np.array(volume.shape) * volume.spacing_mm))


def mip_from(volume: Volume, camera: Camera, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return the maximum intensity projection that a camera sees.

    The slices that face the camera most are sheared onto the picture, interpolated linearly half a
    voxel apart, and their maximum is resized by cubic interpolation. A volume is seen along its own
    axes, as in napari.

    Parameters
    ----------
    volume : Volume
        The volume.
    camera : Camera
        Where it is seen from.
    shape : tuple of int
        Rows and columns of the picture.

    Returns
    -------
    ndarray, shape `shape`, float32
        Row 0 is the top; it is 0 around the volume.

    References
    ----------
    Lacroute and Levoy, "Fast volume rendering using a shear-warp factorization of the viewing
    transformation", SIGGRAPH 1994.
    """
    spacing = np.array(volume.spacing_mm)
    pixel_mm = spacing.min() / 2
    exact = np.array(shape) * mm_per_pixel(volume, camera, shape) / pixel_mm
    picture = np.zeros(np.ceil(exact).astype(int), np.float32)
    right, up = camera.axes
    # From a voxel (z, x, y) to a row and column.
    to_picture = np.array([-_zxy(up), _zxy(right)]) * spacing / pixel_mm
    centre = (np.array(volume.shape) - 1) / 2 + _zxy(np.array(camera.centre_mm)) / spacing
    origin = (np.array(picture.shape) - 1) / 2 - to_picture @ centre
    facing = int(np.argmax(np.abs(np.cross(*to_picture))))
    within = [axis for axis in range(3) if axis != facing]
    to_voxel = np.linalg.inv(to_picture[:, within])
    sides = np.array(volume.shape)[within]
    corners = np.array(list(product(*((-1, side) for side in sides)))) @ to_picture[:, within].T
    for index, slice_ in enumerate(np.moveaxis(volume.data, facing, 0)):
        start = origin + to_picture[:, facing] * index
        low = np.maximum(np.floor(start + corners.min(axis=0)).astype(int), 0)
        high = np.minimum(np.ceil(start + corners.max(axis=0)).astype(int) + 1, picture.shape)
        if (high <= low).any():
            continue
        seen = affine_transform(
            slice_,
            to_voxel,
            to_voxel @ (low - start),
            tuple(high - low),
            np.float32,
            order=1,
            mode="grid-constant",
            prefilter=False,
        )
        covered = picture[low[0] : high[0], low[1] : high[1]]
        np.maximum(covered, seen, out=covered)
    top, left = (np.array(picture.shape) - exact) / 2
    box = (left, top, left + exact[1], top + exact[0])
    resized = Image.fromarray(picture).resize(shape[::-1], Image.Resampling.BICUBIC, box)
    return np.asarray(resized, np.float32)


def _rotation(camera: Camera) -> NDArray[np.float64]:
    right, up = map(_to_right_handed, camera.axes)
    return np.array([right, up, np.cross(right, up)])


def _to_right_handed(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn (left, front, head), a left-handed frame, into (right, front, head) or back."""
    return vector * (-1, 1, 1)


def _zxy(las: NDArray[np.float64]) -> NDArray[np.float64]:
    return las[[2, 0, 1]]
