"""Block averages of a volume."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cowgan.volume.volume import Volume


def block_means(
    data: NDArray[np.floating[Any]], counts: Sequence[int]
) -> NDArray[np.floating[Any]]:
    """Return the means of blocks of voxels; an incomplete block at the end is left out.

    Parameters
    ----------
    data : ndarray, shape (..., z, x, y)
        Any intensities, of one volume or several.
    counts : sequence of int
        Voxels of a block along z, x and y.
    """
    *several, z, x, y = data.shape
    cz, cx, cy = counts
    nz, nx, ny = z // cz, x // cx, y // cy
    whole = data[..., : nz * cz, : nx * cx, : ny * cy]
    return whole.reshape(*several, nz, cz, nx, cx, ny, cy).mean(axis=(-5, -3, -1))


def cell_means(
    data: NDArray[np.float32], starts: Sequence[NDArray[np.intp]]
) -> NDArray[np.float32]:
    """Return the means of cells, which need not be of equal size.

    Parameters
    ----------
    data : ndarray, shape (z, x, y)
        Any intensities.
    starts : sequence of ndarray
        First voxel of every cell along each axis; the last cell ends with the volume.
    """
    means = data
    for axis, edges in enumerate(starts):
        lengths = np.diff(np.append(edges, data.shape[axis])).astype(np.float32)
        total = np.add.reduceat(means, edges, axis=axis, dtype=np.float32)
        per_cell = lengths.reshape([-1 if a == axis else 1 for a in range(data.ndim)])
        means = np.asarray(total / per_cell, np.float32)
    return means


def shrink(volume: Volume, mm: float) -> Volume:
    """Average blocks of whole voxels that are about `mm` wide; nothing is interpolated."""
    counts = [
        min(max(1, round(mm / spacing)), n)
        for spacing, n in zip(volume.spacing_mm, volume.shape, strict=True)
    ]
    return average_blocks(volume, counts)


def average_blocks(volume: Volume, counts: Sequence[int]) -> Volume:
    """Average blocks of so many voxels along (z, x, y)."""
    steps = np.array([counts[1], counts[2], counts[0]])
    to_blocks = np.diag([*steps, 1.0])
    to_blocks[:3, 3] = (steps - 1) / 2
    return Volume(block_means(volume.data, counts), volume.affine @ to_blocks, volume.provenance)
