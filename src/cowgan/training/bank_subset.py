"""Some volumes of a training bank, at the size that a network generates."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cowgan.bank.bank import Bank
from cowgan.errors import CowganError
from cowgan.text import dimensions
from cowgan.volume.averaging import block_means


class BankSubset:
    """Some volumes of a bank, such as its training set, averaged to the size of a network.

    A coarser network is trained on averages over whole voxels, as its output is a coarse volume.

    Parameters
    ----------
    bank : Bank
        The bank they are part of.
    shape : tuple of int
        Voxels along (z, x, y) that the network generates.
    indices : sequence of int
        Indices of the volumes in the bank.

    Raises
    ------
    CowganError
        The bank's volumes cannot be averaged to that size.
    """

    def __init__(self, bank: Bank, shape: tuple[int, int, int], indices: ArrayLike) -> None:
        if any(have % want for have, want in zip(bank.shape, shape, strict=True)):
            needed, found = map(dimensions, (shape, bank.shape))
            raise CowganError(
                f"The bank's volumes have {found} voxels (z, x, y), which this network's {needed} "
                "do not divide."
            )
        self._bank = bank
        self._indices = np.asarray(indices, np.intp)
        self._factors = [have // want for have, want in zip(bank.shape, shape, strict=True)]

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Voxel size along (z, x, y) of the averaged volumes."""
        z, x, y = (
            size * factor for size, factor in zip(self._bank.spacing_mm, self._factors, strict=True)
        )
        return z, x, y

    def __len__(self) -> int:
        return len(self._indices)

    def read(self, indices: list[int]) -> NDArray[np.float32]:
        """Return volumes, shape (n, 1, z, x, y), by their places in this subset."""
        volumes = self._bank.read(self._indices[indices])
        if self._factors == [1, 1, 1]:
            return volumes
        return np.asarray(block_means(volumes, self._factors), np.float32)
