"""Distances between two sets of features."""

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.floating]


def kernel_distance(real: Features, generated: Features) -> float:
    """Return the unbiased squared maximum mean discrepancy for a cubic kernel.

    Bińkowski et al., "Demystifying MMD GANs", ICLR 2018. All rows are used at once, without
    subsets. May be slightly negative for sets of one distribution.

    Parameters
    ----------
    real, generated : ndarray
        Features, shape (n, features) and (m, features), at least two rows each.
    """
    one, other = (np.asarray(rows, np.float64) for rows in (real, generated))
    within = sum(_off_diagonal_mean(_cubic_kernel(rows, rows)) for rows in (one, other))
    return float(within - 2 * _cubic_kernel(one, other).mean())


def _cubic_kernel(one: Features, other: Features) -> NDArray[np.float64]:
    return np.asarray((one @ other.T / one.shape[1] + 1) ** 3, np.float64)


def _off_diagonal_mean(kernel: NDArray[np.float64]) -> float:
    n = len(kernel)
    return float((kernel.sum() - np.trace(kernel)) / (n * (n - 1)))
