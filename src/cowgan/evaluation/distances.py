"""Distances between two sets of features.

Everywhere `real` and `generated` are features of shape (n, features) and (m, features), finite
and at least two rows each; anything else raises `CowganError`.
"""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cowgan.errors import CowganError
from cowgan.evaluation.feature_rows import Rows, check_pair
from cowgan.randomness import stream

ROWS_PER_FEATURE = 1.7
"""Rows per feature that `frechet_infinity` needs: below, extrapolation has a bias of its own."""

_ROWS_AT_ONCE = 4096
_SIZES = 15
_SMALLEST_SHARE = 0.4


def frechet_distance(real: ArrayLike, generated: ArrayLike) -> float:
    """Return the squared Fréchet distance between normal distributions fitted to two sets.

    Heusel et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash
    Equilibrium", NeurIPS 2017; of Inception features it is called FID. Biased upwards: two sets
    of one distribution have a distance above zero, which falls with the number of rows.
    """
    one, other = check_pair(real, generated, convert=False)
    means = [rows.mean(0, np.float64) for rows in (one, other)]
    between = means[0] - means[1]
    roots = [_covariance_root(rows, mean) for rows, mean in zip((one, other), means, strict=True)]
    # The trace of the root of the product of both covariances, exact also where they are
    # singular, as they are with fewer rows than features.
    shared = np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum()
    within = sum(np.square(root).sum() for root in roots)
    return max(0.0, float(between @ between + within - 2 * shared))


def frechet_infinity(real: ArrayLike, generated: ArrayLike, seed: int = 0) -> float:
    """Return the Fréchet distance extrapolated to infinitely many volumes.

    Chong and Forsyth, "Effectively Unbiased FID and Inception Score and Where to Find Them",
    CVPR 2020: a line through the distances of random subsets over one through their size.

    Parameters
    ----------
    real, generated : array_like
        Features.
    seed : int
        Seed of the subsets.

    Raises
    ------
    CowganError
        There are fewer than 1.7 rows per feature.
    """
    one, other = check_pair(real, generated)
    n, features = min(len(one), len(other)), one.shape[1]
    if n < ROWS_PER_FEATURE * features:
        raise CowganError(
            f"To extrapolate the Fréchet distance of {features} features takes "
            f"{int(np.ceil(ROWS_PER_FEATURE * features))} volumes on each side, not {n}."
        )
    random = stream("frechet infinity", seed)
    sizes = np.linspace(_SMALLEST_SHARE * n, n, _SIZES).astype(int)
    distances = [
        frechet_distance(*(rows[random.permutation(len(rows))[:size]] for rows in (one, other)))
        for size in sizes
    ]
    return float(np.polyfit(1 / sizes, distances, 1)[1])


def kernel_distance(real: ArrayLike, generated: ArrayLike) -> float:
    """Return the unbiased squared maximum mean discrepancy for a cubic kernel.

    Bińkowski et al., "Demystifying MMD GANs", ICLR 2018; of Inception features it is called KID.
    All rows are used at once, without subsets. May be slightly negative for sets of one
    distribution.
    """
    one, other = check_pair(real, generated)
    within = sum(_off_diagonal_mean(_cubic_kernel(rows, rows)) for rows in (one, other))
    return float(within - 2 * _cubic_kernel(one, other).mean())


def sliced_wasserstein(
    real: ArrayLike, generated: ArrayLike, directions: int = 256, seed: int = 0
) -> float:
    """Return the squared sliced 2-Wasserstein distance, times the number of features.

    Bonneel et al., "Sliced and Radon Wasserstein Barycenters of Measures", JMIV 2015. It sees
    missing spread at sizes at which `frechet_distance` does not.

    Parameters
    ----------
    real, generated : array_like
        Features.
    directions : int
        Random projections that the distance is averaged over.
    seed : int
        Seed of the projections.
    """
    one, other = check_pair(real, generated)
    axes = stream("sliced wasserstein", seed).standard_normal((one.shape[1], directions))
    axes /= np.linalg.norm(axes, axis=0)
    # Both quantile functions are steps; between two of their edges each is constant.
    n, m = len(one), len(other)
    edges = np.union1d(np.arange(n + 1) * m, np.arange(m + 1) * n)
    middles = (edges[1:] + edges[:-1]) / 2
    widths = np.diff(edges) / (n * m)
    of_one = np.sort(one @ axes, 0)[(middles // m).astype(int)]
    of_other = np.sort(other @ axes, 0)[(middles // n).astype(int)]
    return float(one.shape[1] * (widths @ np.square(of_one - of_other)).mean())


def _covariance_root(rows: NDArray[Any], mean: Rows) -> Rows:
    """Return R such that R^T R is the sample covariance."""
    # A few rows at a time: those of all slices of a set fill a gigabyte.
    root = np.empty((0, rows.shape[1]))
    for start in range(0, len(rows), _ROWS_AT_ONCE):
        centred = rows[start : start + _ROWS_AT_ONCE] - mean
        root = np.asarray(np.linalg.qr(np.concatenate([root, centred]), mode="r"))
    return root / np.sqrt(len(rows) - 1)


def _cubic_kernel(one: Rows, other: Rows) -> Rows:
    return np.asarray((one @ other.T / one.shape[1] + 1) ** 3)


def _off_diagonal_mean(kernel: Rows) -> float:
    n = len(kernel)
    return float((kernel.sum() - np.trace(kernel)) / (n * (n - 1)))
