"""Small variations of an anatomy that tear no artery."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from cowgan.errors import CowganError
from cowgan.randomness import stream
from cowgan.simulate.grid import Grid
from cowgan.volume import DEFAULT_SPACING_MM


@dataclass(frozen=True)
class DeformationLimits:
    """How far an anatomy is varied; every amount is drawn evenly up to its limit.

    Parameters
    ----------
    turn_deg : float
        Rotation about the axis to superior, either way.
    tilt_deg : float
        Rotation about each of the two other axes, either way.
    scaling : float
        Relative change of size along each axis, either way.
    shift_mm : float
        Along each axis, either way.
    bending_mm : float
        Standard deviation of the smooth displacement along each axis.
    bending_scale_mm : float
        Distance over which that displacement changes.
    steepest : float
        The smooth displacement is weakened until no component of it changes by more than
        this many mm per mm along any axis. While three times this stays below ``1 -
        scaling``, space is neither folded nor torn: the gradient of the displacement has a
        norm below the least stretch of the affine map.

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


def deform(
    occupancy: NDArray[np.float32],
    seed: int,
    limits: DeformationLimits | None = None,
    spacing_mm: tuple[float, float, float] = DEFAULT_SPACING_MM,
) -> tuple[NDArray[np.float32], dict[str, Any]]:
    """Vary an anatomy by an affine map and a smooth displacement.

    Where the varied volume reaches beyond the anatomy, by a few mm, arteries go straight on
    below and above, so that blood still enters through the lowest slice; to the sides, there
    are none.

    Parameters
    ----------
    occupancy : ndarray, shape (z, x, y), float32
        Share of each voxel that is artery, 0 to 1.
    seed : int
        Decides the variation.
    limits : DeformationLimits, optional
        How far it goes.
    spacing_mm : tuple of float
        Voxel size along (z, x, y).

    Returns
    -------
    varied : ndarray, shape (z, x, y), float32
        Interpolated linearly.
    record : dict
        Seed and amounts about and along (z, x, y), for the provenance.
    """
    limits = limits or DeformationLimits()
    random = stream("bank deformation", seed)
    tilt_deg = limits.tilt_deg
    rotation_deg = random.uniform(-1, 1, 3) * (limits.turn_deg, tilt_deg, tilt_deg)
    scaling = 1 + random.uniform(-1, 1, 3) * limits.scaling
    shift_mm = random.uniform(-1, 1, 3) * limits.shift_mm
    bending_mm = random.uniform(0, 1) * limits.bending_mm

    nz, nx, ny = occupancy.shape
    grid = Grid((nz, nx, ny), spacing_mm, _middle_mm(occupancy.shape, spacing_mm))
    bends = _bends(grid, random, bending_mm, limits)
    matrix = _rotation(rotation_deg) @ np.diag(scaling)
    # Term by term, because a matrix product rounds differently with the number of threads.
    z, x, y = (
        column[:, None, None, None] * axis
        for column, axis in zip(matrix.T, grid.axes_mm, strict=True)
    )
    source_mm = z + x + y + shift_mm[:, None, None, None] + bends
    middle = np.array(grid.centre_mm)[:, None, None, None]
    source = (source_mm + middle) / np.array(spacing_mm)[:, None, None, None]
    source[0] = np.clip(source[0], 0, nz - 1)
    varied = map_coordinates(occupancy, source, np.float32, order=1, mode="grid-constant")
    record = {
        "seed": seed,
        "rotation_deg": rotation_deg.tolist(),
        "scaling": scaling.tolist(),
        "shift_mm": shift_mm.tolist(),
        "bending_mm": float(bends.std()),
    }
    return varied, record


def _bends(
    grid: Grid, random: np.random.RandomState, bending_mm: float, limits: DeformationLimits
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
