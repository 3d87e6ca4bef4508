"""Random deformation of an anatomy without folding or tearing."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

from cowgan.errors import CowganError
from cowgan.randomness import stream
from cowgan.simulate.grid import CircleGrid
from cowgan.volume import DEFAULT_SPACING_MM
from cowgan.volume.label_resampling import most_filled


@dataclass(frozen=True)
class DeformationLimits:
    """Limits of the deformation; amounts are drawn uniformly up to them.

    Parameters
    ----------
    turn_deg : float
        Largest rotation about the superior axis.
    tilt_deg : float
        Largest rotation about each of the other axes.
    scaling : float
        Largest relative scaling along each axis.
    shift_mm : float
        Largest shift along each axis.
    bending_mm : float
        Standard deviation of the smooth displacement along each axis.
    bending_scale_mm : float
        Length scale of that displacement.
    steepest : float
        Largest derivative, in mm per mm, of any component of the smooth displacement along any
        axis; steeper displacements are scaled down. If three times this is below ``1 -
        scaling``, the map is invertible: the norm of the displacement gradient is below the
        least stretch of the affine map.

    Raises
    ------
    CowganError
        A limit is negative.
    """

    turn_deg: float = 6.0
    tilt_deg: float = 3.0
    scaling: float = 0.06
    shift_mm: float = 1.5
    bending_mm: float = 1.0
    bending_scale_mm: float = 14.0
    steepest: float = 0.3

    def __post_init__(self) -> None:
        if self.bending_scale_mm <= 0 or not all(value >= 0 for value in vars(self).values()):
            raise CowganError("The limits of a variation must not be negative.", repr(self))


@dataclass(frozen=True, eq=False)
class Deformation:
    """A deformation of anatomies of one size by an affine map and a smooth displacement.

    Where the result extends a few mm beyond the anatomy, arteries are continued straight below and
    above, so that blood still enters through the lowest slice. Laterally there are none.

    Parameters
    ----------
    source : ndarray, shape (3, z, x, y)
        Where each voxel comes from: an index (z, x, y) of the undeformed anatomy, not rounded.
    record : dict
        Seed and amounts along (z, x, y), for the provenance.
    """

    source: NDArray[np.float64]
    record: dict[str, Any]

    @classmethod
    def draw(
        cls,
        shape: tuple[int, ...],
        seed: int,
        limits: DeformationLimits | None = None,
        spacing_mm: tuple[float, float, float] = DEFAULT_SPACING_MM,
    ) -> "Deformation":
        """Draw a deformation.

        Parameters
        ----------
        shape : tuple of int
            Voxels of the anatomies along (z, x, y).
        seed : int
            Seed of the deformation.
        limits : DeformationLimits, optional
            Limits of the deformation.
        spacing_mm : tuple of float
            Voxel size along (z, x, y).
        """
        limits = limits or DeformationLimits()
        random = stream("bank deformation", seed)
        tilt_deg = limits.tilt_deg
        rotation_deg = random.uniform(-1, 1, 3) * (limits.turn_deg, tilt_deg, tilt_deg)
        scaling = 1 + random.uniform(-1, 1, 3) * limits.scaling
        shift_mm = random.uniform(-1, 1, 3) * limits.shift_mm
        bending_mm = random.uniform(0, 1) * limits.bending_mm

        nz, nx, ny = shape
        grid = CircleGrid((nz, nx, ny), spacing_mm, _middle_mm(shape, spacing_mm))
        bends = _bends(grid, random, bending_mm, limits)
        matrix = _rotation(rotation_deg) @ np.diag(scaling)
        # Term by term, since the rounding of a matrix product depends on the number of threads.
        z, x, y = (
            column[:, None, None, None] * axis
            for column, axis in zip(matrix.T, grid.axes_mm, strict=True)
        )
        source_mm = z + x + y + shift_mm[:, None, None, None] + bends
        middle = np.array(grid.centre_mm)[:, None, None, None]
        source = (source_mm + middle) / np.array(spacing_mm)[:, None, None, None]
        source[0] = np.clip(source[0], 0, nz - 1)
        record = {
            "seed": seed,
            "rotation_deg": rotation_deg.tolist(),
            "scaling": scaling.tolist(),
            "shift_mm": shift_mm.tolist(),
            "bending_mm": float(bends.std()),
        }
        return cls(source, record)

    def apply(self, occupancy: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return a deformed anatomy, interpolated linearly.

        Parameters
        ----------
        occupancy : ndarray, shape (z, x, y), float32
            Share of each voxel that is artery, 0 to 1.
        """
        return _interpolated(occupancy, self.source)

    def apply_to_labels(
        self, labels: NDArray[np.uint8], occupancy: NDArray[np.float32]
    ) -> NDArray[np.uint8]:
        """Return the label map of a deformed anatomy.

        Every label keeps the volume of its mask, which is deformed like the anatomy; see
        `cowgan.volume.label_resampling`.

        Parameters
        ----------
        labels : ndarray, shape (z, x, y), uint8
            Label map of the undeformed anatomy; 0 is background.
        occupancy : ndarray, shape (z, x, y), float32
            The undeformed anatomy.
        """
        mask = labels > 0
        deformed = np.zeros_like(labels)
        reached = _interpolated(mask, self.source) > 0
        if not reached.any():
            return deformed
        places = self.source[:, reached]
        _, nearest = cKDTree(np.argwhere(mask)).query(places.T)
        volumes = {
            value: float(_interpolated(labels == value, places).sum(dtype=np.float64))
            for value in np.unique(labels[mask]).tolist()
        }
        # Labelled voxels come first even where label map and occupancy disagree.
        low, high = np.where(mask, np.float32(0.51), 0), np.where(mask, 1, np.float32(0.49))
        filled = _interpolated(np.clip(occupancy, low, high), places)
        deformed[reached] = most_filled(labels[mask][nearest], filled, volumes)
        return deformed


def _interpolated(values: NDArray[Any], places: NDArray[np.float64]) -> NDArray[np.float32]:
    interpolated: NDArray[np.float32] = map_coordinates(
        values, places, np.float32, order=1, mode="grid-constant"
    )
    return interpolated


def _bends(
    grid: CircleGrid, random: np.random.RandomState, bending_mm: float, limits: DeformationLimits
) -> NDArray[np.float32]:
    """Return a smooth displacement along (z, x, y) in mm, shape (3, z, x, y)."""
    bends = bending_mm * np.stack([grid.noise(random, limits.bending_scale_mm) for _ in range(3)])
    steepest = max(
        float(np.abs(np.diff(bends, axis=1 + axis)).max()) / size
        for axis, size in enumerate(grid.spacing_mm)
    )
    return (bends * min(1.0, limits.steepest / max(steepest, 1e-9))).astype(np.float32)


def _rotation(angles_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    rotation = np.eye(3)
    for (i, j), angle in zip(((1, 2), (0, 2), (0, 1)), np.radians(angles_deg), strict=True):
        turn = np.eye(3)
        turn[[i, j], [i, j]] = np.cos(angle)
        turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
        rotation = turn @ rotation
    return rotation


def _middle_mm(
    shape: tuple[int, ...], spacing_mm: tuple[float, float, float]
) -> tuple[float, float, float]:
    z, x, y = ((n - 1) / 2 * size for n, size in zip(shape, spacing_mm, strict=True))
    return z, x, y
