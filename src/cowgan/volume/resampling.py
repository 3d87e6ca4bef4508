"""Resampling of a volume onto a grid, in one interpolation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import affine_transform, gaussian_filter

from cowgan.volume import Volume

_MARGIN = 16
"""Voxels kept around the needed part of an input; in cubic spline interpolation, the weight of more
distant voxels is below 1e-9."""
_ZXY = [2, 0, 1]


@dataclass(frozen=True)
class Grid:
    """Shape and affine of an image.

    Parameters
    ----------
    shape : tuple of int
        Number of voxels along (z, x, y).
    affine : ndarray, shape (4, 4)
        As in `Volume.affine`.
    """

    shape: tuple[int, int, int]
    affine: NDArray[np.float64]

    @property
    def centre_mm(self) -> NDArray[np.float64]:
        """Middle of the grid in RAS millimetres."""
        nz, nx, ny = self.shape
        middle = (np.array([nx, ny, nz]) - 1) / 2
        return self.affine[:3, :3] @ middle + self.affine[:3, 3]


def grid_of_spacing(volume: Volume, spacing_mm: tuple[float, float, float]) -> Grid:
    """Return the grid that covers a volume with another voxel size, along its axes.

    Parameters
    ----------
    volume : Volume
        The corner of its first voxel is kept.
    spacing_mm : tuple of float
        Voxel size along (z, x, y).
    """
    scale = np.array(spacing_mm) / np.array(volume.spacing_mm)
    nz, nx, ny = np.maximum(np.round(np.array(volume.shape) / scale), 1).astype(int).tolist()
    sz, sx, sy = scale
    to_volume = np.diag([sx, sy, sz, 1.0])
    to_volume[:3, 3] = (np.array([sx, sy, sz]) - 1) / 2
    return Grid((nz, nx, ny), volume.affine @ to_volume)


@dataclass(frozen=True)
class Resampled:
    """A resampled volume and the mask of voxels inside the input.

    Parameters
    ----------
    data : ndarray, shape (z, x, y), float32
        Interpolated intensities; 0 outside the input.
    inside : ndarray of bool, shape (z, x, y)
        Voxels whose centre lies in a voxel of the input.
    """

    data: NDArray[np.float32]
    inside: NDArray[np.bool_]

    @property
    def coverage(self) -> float:
        """Fraction of the grid inside the input."""
        return float(self.inside.mean())


def resample(
    volume: Volume, grid: Grid, to_input: NDArray[np.float64] | None = None, order: int = 3
) -> Resampled:
    """Interpolate a volume on a grid.

    Cubic splines keep thin arteries sharper than linear interpolation; overshoots are clipped
    to the range of the input. An input finer than the grid is smoothed first, in proportion,
    to prevent aliasing.

    Parameters
    ----------
    volume : Volume
        The input.
    grid : Grid
        The output grid.
    to_input : ndarray, shape (4, 4), optional
        Maps RAS millimetres of the grid to RAS millimetres of the volume; identity by
        default.
    order : int
        Spline order, 0 to 3.

    Returns
    -------
    Resampled
    """
    matrix, offset = _index_map(volume, grid, to_input)
    corners = np.array(np.meshgrid(*[(0, n - 1) for n in grid.shape], indexing="ij"))
    reached = matrix @ corners.reshape(3, -1) + offset[:, None]
    size = np.array(volume.shape)
    start = np.clip(np.floor(reached.min(axis=1)).astype(int) - _MARGIN, 0, size)
    stop = np.clip(np.ceil(reached.max(axis=1)).astype(int) + _MARGIN + 1, 0, size)
    inside = _inside(grid.shape, matrix, offset, size)
    if (stop <= start).any() or not inside.any():
        return Resampled(np.zeros(grid.shape, np.float32), np.zeros(grid.shape, np.bool_))
    part = volume.data[tuple(map(slice, start, stop))]
    low, high = part.min(), part.max()
    step = np.linalg.norm(matrix, axis=1)
    sigma = np.maximum(step - 1, 0) / 2
    if (sigma > 0.1).any():
        part = gaussian_filter(part, sigma, mode="nearest")
    data = affine_transform(
        part, matrix, offset - start, grid.shape, np.float32, order=order, mode="nearest"
    )
    return Resampled(np.where(inside, np.clip(data, low, high), np.float32(0)), inside)


def _index_map(
    volume: Volume, grid: Grid, to_input: NDArray[np.float64] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the map from a (z, x, y) index of the grid to one of the volume."""
    world = grid.affine if to_input is None else to_input @ grid.affine
    index: NDArray[np.float64] = np.asarray(np.linalg.solve(volume.affine, world), np.float64)
    return index[np.ix_(_ZXY, _ZXY)], index[_ZXY, 3]


def _inside(
    shape: tuple[int, int, int],
    matrix: NDArray[np.float64],
    offset: NDArray[np.float64],
    size: NDArray[np.intp],
) -> NDArray[np.bool_]:
    z, x, y = (np.arange(n, dtype=np.float32) for n in shape)
    inside = np.ones(shape, dtype=np.bool_)
    for row, shift, count in zip(matrix, offset, size, strict=True):
        index = (
            np.float32(row[0]) * z[:, None, None]
            + np.float32(row[1]) * x[:, None]
            + (np.float32(row[2]) * y + np.float32(shift))
        )
        inside &= (index >= -0.5) & (index <= count - 0.5)
    return inside
