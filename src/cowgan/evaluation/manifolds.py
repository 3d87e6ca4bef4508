"""Recall, density and coverage: sets of features compared by their nearest neighbours.

Recall follows Kynkäänniemi et al., "Improved Precision and Recall Metric for Assessing
Generative Models", NeurIPS 2019; density and coverage follow Naeem et al., "Reliable Fidelity
and Diversity Metrics for Generative Models", ICML 2020.

Everywhere `real` and `generated` are features of shape (n, features) and (m, features), and `k`
is the number of neighbours; of sets too small for that, the farthest neighbour is taken.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

Features = NDArray[np.floating]

NEIGHBOURS = 5


def recall(real: Features, generated: Features, k: int = NEIGHBOURS) -> float:
    """Return the share of real samples within the neighbourhood of any generated one."""
    return float((cdist(real, generated) <= _radii(generated, k)).any(1).mean())


def density(real: Features, generated: Features, k: int = NEIGHBOURS) -> float:
    """Return the mean number of real neighbourhoods around a generated sample, divided by k.

    About 1 for sets of one distribution, and not bounded by it.
    """
    return float(_in_real_neighbourhoods(real, generated, k).sum() / (k * len(generated)))


def coverage(real: Features, generated: Features, k: int = NEIGHBOURS) -> float:
    """Return the share of real samples with a generated one in their neighbourhood."""
    return float(_in_real_neighbourhoods(real, generated, k).any(1).mean())


def _in_real_neighbourhoods(real: Features, generated: Features, k: int) -> NDArray[np.bool_]:
    """Return whether each generated sample is in each real neighbourhood, shape (n, m)."""
    return np.asarray(cdist(real, generated) <= _radii(real, k)[:, None])


def _radii(rows: Features, k: int) -> NDArray[np.float64]:
    """Return the distance of each row to its k-th neighbour."""
    # The nearest, at place 0, is the row itself.
    return np.asarray(np.sort(cdist(rows, rows), 1)[:, min(k, len(rows) - 1)])
