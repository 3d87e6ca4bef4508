"""Local averages over windows of a few millimetres, computed on blocks of voxels.

Such averages need only a few values per cubic millimetre. Where voxels are larger than half a
block, each voxel is a block and nothing is approximated.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from cowgan.measure.arrays import Image

BLOCK_MM = 0.7
"""Largest side of a block of several voxels."""
_PIECE = 2**20


class BlockGrid:
    """A grid of blocks over the voxels of a volume.

    Parameters
    ----------
    shape : tuple of int
        Number of voxels along (z, x, y).
    spacing_mm : tuple of float
        Voxel size along (z, x, y).
    """

    def __init__(self, shape: tuple[int, ...], spacing_mm: Sequence[float]) -> None:
        self._voxels = shape
        self._per_block = tuple(max(1, int(BLOCK_MM / size)) for size in spacing_mm)
        self.shape = tuple(-(-n // per) for n, per in zip(shape, self._per_block, strict=True))
        self.spacing_mm = tuple(
            size * per for size, per in zip(spacing_mm, self._per_block, strict=True)
        )
        self._single = self.shape == tuple(shape)
        counts = [
            np.diff(np.minimum(np.arange(n + 1) * per, voxels))
            for n, per, voxels in zip(self.shape, self._per_block, shape, strict=True)
        ]
        self._count = (counts[0][:, None, None] * counts[1][:, None] * counts[2]).astype(np.float32)

    def index(self, voxels: NDArray[np.intp]) -> NDArray[np.intp]:
        """Return the flat block index of each voxel, given by its flat index."""
        if self._single:
            return voxels
        places = np.unravel_index(voxels, self._voxels)
        blocks = tuple(place // per for place, per in zip(places, self._per_block, strict=True))
        return np.ravel_multi_index(blocks, self.shape)

    def mean(self, image: Image) -> Image:
        """Return the mean of each block."""
        if self._single:
            return image
        total = np.zeros(self.shape, np.float32)
        starts = [np.arange(n) * per for n, per in zip(self.shape, self._per_block, strict=True)]
        for z, layer in enumerate(image):
            rows = np.add.reduceat(layer, starts[1], axis=0)
            total[z // self._per_block[0]] += np.add.reduceat(rows, starts[2], axis=1)
        return total / self._count

    def share(self, blocks: NDArray[np.intp], amount: NDArray[np.floating] | None = None) -> Image:
        """Return the sum over some voxels of each block, divided by its number of voxels.

        Parameters
        ----------
        blocks : ndarray of int
            From `index`, for those voxels.
        amount : ndarray, optional
            Summands; by default 1 for each voxel.
        """
        size = int(np.prod(self.shape))
        total = np.bincount(blocks, amount, minlength=size).reshape(self.shape)
        return (total / self._count).astype(np.float32)

    def smooth(self, field: Image, reach_mm: float) -> Image:
        """Return a field smoothed by a Gaussian with a standard deviation in mm."""
        sigma = [
            np.sqrt(max((reach_mm / size) ** 2 - _spread(per), 0.0))
            for size, per in zip(self.spacing_mm, self._per_block, strict=True)
        ]
        return np.asarray(gaussian_filter(field, sigma, truncate=2))

    def at(self, field: Image, voxels: NDArray[np.intp]) -> Image:
        """Return a field at voxels, interpolated linearly between blocks."""
        if self._single:
            return field.ravel()[voxels]
        values = np.empty(len(voxels), np.float32)
        per = np.array(self._per_block)[:, None]
        for start in range(0, len(voxels), _PIECE):
            piece = slice(start, start + _PIECE)
            places = np.array(np.unravel_index(voxels[piece], self._voxels), np.float32)
            where = (places + 0.5) / per - 0.5
            values[piece] = map_coordinates(field, where, order=1, mode="nearest")
        return values


def _spread(per_block: int) -> float:
    """Return the variance, in blocks, that averaging and interpolation between blocks add."""
    offset = np.abs((np.arange(per_block) + 0.5) / per_block - 0.5)
    return float((1 - per_block**-2) / 12 + (offset * (1 - offset)).mean())
