"""How far a quantity differs between two groups of subjects.

Volumes of one subject are alike, so subjects are what is drawn, permuted and halved, and each
counts the same whatever its number of volumes. Subjects of both groups are exchangeable only with
equally many volumes: permutations and halves take as many of each, drawn at random, as the subject
with the fewest has.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cowgan.randomness import stream

PERMUTATIONS = 1999
SPLITS = 200

_FEWEST_REAL, _FEWEST_GENERATED = 4, 2
_ROUNDING = 1e-12
"""Distances that differ by less, as a share of the range of values, are equal."""


@dataclass(frozen=True, eq=False)
class Group:
    """A quantity in a set of volumes.

    Parameters
    ----------
    values : ndarray, shape (n,)
        Of each volume.
    subjects : sequence of str
        Of each volume.
    """

    values: NDArray[np.float64]
    subjects: Sequence[str] | NDArray[np.str_]

    def numbered(self) -> tuple[NDArray[np.intp], int]:
        """Return the number of the subject of each volume, and how many subjects there are."""
        names, number = np.unique(np.asarray(self.subjects, str), return_inverse=True)
        return number, len(names)

    def weights(self) -> NDArray[np.float64]:
        """Return the share of each volume in the group."""
        number, n_subjects = self.numbered()
        return np.asarray(1 / (n_subjects * np.bincount(number)[number]))


@dataclass(frozen=True)
class Summary:
    """A quantity in a set of volumes; each subject counts the same.

    Parameters
    ----------
    n : int
        Number of volumes.
    mean, sd : float
        Of the quantity.
    """

    n: int
    mean: float
    sd: float


@dataclass(frozen=True)
class Floor:
    """Distances between as many subjects as half of the real ones are.

    A distance grows when there are fewer subjects, so only these can be compared with each other.
    Splits share subjects, hence their spread is no confidence interval.

    Parameters
    ----------
    subjects : int
        On either side.
    real_median, real_95 : float
        Median and 95th percentile of the distance between disjoint random halves of the real
        subjects.
    generated_median : float
        Median of that between such a half and as many of the generated ones.
    """

    subjects: int
    real_median: float
    real_95: float
    generated_median: float


@dataclass(frozen=True)
class Difference:
    """How far a quantity differs between real and generated volumes.

    Parameters
    ----------
    distance : float
        1-Wasserstein distance, in the unit of the quantity.
    p : float
        By permutation of subjects between the groups: the share of permutations with a distance
        at least as large, the observed one included.
    floor : Floor
        What the distance is between real subjects.
    """

    distance: float
    p: float
    floor: Floor


def compare_groups(real: Group, generated: Group, seed: int = 0) -> Difference | None:
    """Compare a quantity between real and generated volumes.

    Parameters
    ----------
    real, generated : Group
        The quantity; one name in both groups is two subjects.
    seed : int
        Seed of permutations and splits.

    Returns
    -------
    Difference or None
        None if there are fewer than four real or two generated subjects.
    """
    (one, n_real), (other, n_generated) = real.numbered(), generated.numbered()
    if n_real < _FEWEST_REAL or n_generated < _FEWEST_GENERATED:
        return None
    values = np.concatenate([real.values, generated.values])
    subjects = np.concatenate([one, other + n_real])
    groups = np.repeat([1 / n_real, -1 / n_generated], [n_real, n_generated])
    random = stream("subject differences", seed)
    kept = _equally_many(subjects, random)
    drawn = _Pooled(values[kept], subjects[kept])
    return Difference(
        distance=float(_Pooled(values, subjects).distances(groups[None])[0]),
        p=_p_value(drawn, groups, random),
        floor=_floor(drawn, n_real, random),
    )


def summary(group: Group) -> Summary | None:
    """Return mean and standard deviation of a quantity, or None without any volume."""
    if not len(group.values):
        return None
    weights = group.weights()
    mean = weights @ group.values
    variance = weights @ (group.values - mean) ** 2
    return Summary(len(group.values), float(mean), float(np.sqrt(variance)))


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p values corrected for their number.

    Holm, "A simple sequentially rejective multiple test procedure", Scand J Stat 6:65, 1979.
    """
    p = np.asarray(p_values, np.float64)
    order = np.argsort(p)
    steps = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(steps, 1)
    return [float(one) for one in corrected]


def _p_value(
    pooled: "_Pooled", groups: NDArray[np.float64], random: np.random.RandomState
) -> float:
    rows = [groups, *(random.permutation(groups) for _ in range(PERMUTATIONS))]
    distances = pooled.distances(np.stack(rows))
    return float((distances >= distances[0] - _ROUNDING * pooled.span).mean())


def _floor(pooled: "_Pooled", n_real: int, random: np.random.RandomState) -> Floor:
    n_generated = pooled.n_subjects - n_real
    n = min(n_real // 2, n_generated)
    to_real, to_generated = np.zeros((2, SPLITS, pooled.n_subjects))
    for split in range(SPLITS):
        order = random.permutation(n_real)
        drawn = n_real + random.permutation(n_generated)[:n]
        to_real[split, order[:n]] = to_generated[split, order[:n]] = 1 / n
        to_real[split, order[n : 2 * n]] = to_generated[split, drawn] = -1 / n
    between_real = pooled.distances(to_real)
    return Floor(
        n,
        float(np.median(between_real)),
        float(np.percentile(between_real, 95)),
        float(np.median(pooled.distances(to_generated))),
    )


class _Pooled:
    """The values of both groups in order."""

    def __init__(self, values: NDArray[np.float64], subjects: NDArray[np.intp]) -> None:
        order = np.argsort(values)
        volumes = np.bincount(subjects)
        self.n_subjects = len(volumes)
        self._steps = np.diff(values[order])
        self.span = float(self._steps.sum())
        self._subjects = subjects[order]
        self._shares = 1 / volumes[self._subjects]

    def distances(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return 1-Wasserstein distances between weighted groups of subjects.

        Parameters
        ----------
        weights : ndarray, shape (n, subjects)
            One comparison per row: the weights of one group, which sum to 1, and the negative
            ones of the other.
        """
        # The area between both cumulative distributions.
        gap = np.cumsum(weights[:, self._subjects] * self._shares, axis=1)[:, :-1]
        return np.asarray(np.abs(gap, out=gap) @ self._steps)


def _equally_many(subjects: NDArray[np.intp], random: np.random.RandomState) -> NDArray[np.intp]:
    """Draw as many volumes of each subject as the one with the fewest has."""
    volumes = np.bincount(subjects)
    order = random.permutation(len(subjects))
    order = order[np.argsort(subjects[order], kind="stable")]
    place = np.arange(len(subjects)) - np.repeat(np.cumsum(volumes) - volumes, volumes)
    return np.asarray(order[place < volumes.min()])
