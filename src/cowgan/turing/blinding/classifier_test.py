"""A permutation test of how well a linear classifier separates two classes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cowgan.turing.statistics.roc import rank_auc

_FOLDS = 5
_REPEATS = 4
_WORSE_THAN_GUESSING = 0.35


@dataclass(frozen=True)
class Offender:
    """A feature that differs between the classes by itself.

    Parameters
    ----------
    feature : str
        Its name.
    auc : float
        Of the feature alone; above 0.5 if generated volumes have larger values.
    p : float
        Permutation p, corrected for the number of features.
    """

    feature: str
    auc: float
    p: float

    @property
    def side(self) -> str:
        """Which kind has larger values, as an AUC of 0 tells as much as one of 1."""
        return f"{'larger' if self.auc > 0.5 else 'smaller'} in generated volumes"


@dataclass(frozen=True)
class Separability:
    """Separability of the classes by features.

    Parameters
    ----------
    auc : float
        Cross-validated; 0.5 is chance.
    p : float
        Share of random class labels that are separated as well.
    offenders : tuple of Offender
        Features with a corrected p below 0.05, the strongest first.
    """

    auc: float
    p: float
    offenders: tuple[Offender, ...]

    @property
    def remark(self) -> str:
        """A sentence on a classifier that was wrong more often than guessing; else empty."""
        if self.auc >= _WORSE_THAN_GUESSING:
            return ""
        return (
            "An AUC this far below 0.5 tells nothing apart: what holds for some volumes fails for "
            "the others, as when there are few, or when each generated one resembles a real one."
        )


def separate(
    features: NDArray[np.float64],
    names: Sequence[str],
    generated: NDArray[np.bool_],
    random: np.random.RandomState,
    permutations: int = 1000,
) -> Separability:
    """Train a linear classifier on all features at once, and look at each by itself.

    The classifier is ridge regression of the class on standardised features, in 5-fold
    cross-validation with folds that do not know the classes. Its scores are linear in the
    class labels, so that thousands of permutations cost little.

    Parameters
    ----------
    features : ndarray, shape (n, n_features)
        Finite numbers.
    names : sequence of str
        One per feature.
    generated : ndarray of bool, shape (n,)
        Class; both must occur.
    random : RandomState
        Draws folds and permutations.
    permutations : int
        Random labellings to compare with.
    """
    n = len(features)
    labels = np.empty((n, permutations + 1), dtype=np.bool_)
    labels[:, 0] = generated
    for column in range(1, permutations + 1):
        labels[:, column] = random.permutation(generated)
    signs = np.where(labels, 1.0, -1.0)
    together = np.mean(
        [rank_auc(_scoring(features, random) @ signs, labels) for _ in range(_REPEATS)], axis=0
    )
    # Column by column, as all labellings share the ranks of a feature.
    alone = np.stack([rank_auc(column[:, np.newaxis], labels) for column in features.T])
    distance = np.abs(alone - 0.5)
    largest = distance[:, 1:].max(axis=0)
    offenders = [
        Offender(name, float(auc[0]), _p(own[0], largest))
        for name, auc, own in zip(names, alone, distance, strict=True)
    ]
    strongest = sorted(
        (offender for offender in offenders if offender.p < 0.05),
        key=lambda offender: -abs(offender.auc - 0.5),
    )
    return Separability(float(together[0]), _p(together[0], together[1:]), tuple(strongest))


def _scoring(features: NDArray[np.float64], random: np.random.RandomState) -> NDArray[np.float64]:
    """Return the matrix that turns labels into cross-validated scores, one fold held out."""
    n, n_features = features.shape
    fold = random.permutation(np.arange(n) % _FOLDS)
    scoring = np.zeros((n, n))
    for held_out in range(_FOLDS):
        test, train = np.flatnonzero(fold == held_out), np.flatnonzero(fold != held_out)
        # A constant feature is left out, or rounding would make a score of it.
        varies = np.ptp(features[train], axis=0) > 0
        used = features[:, varies]
        centred = (used - used[train].mean(axis=0)) / used[train].std(axis=0)
        gram = centred[train].T @ centred[train] + n_features * np.eye(varies.sum())
        centring = np.eye(len(train)) - 1 / len(train)
        weights = np.linalg.solve(gram, centred[train].T @ centring)
        scoring[np.ix_(test, train)] = centred[test] @ weights
    return scoring


def _p(observed: float, permuted: NDArray[np.float64]) -> float:
    # A tie is as good; without the tolerance, rounding decides which it is.
    return float((1 + np.sum(permuted >= observed - 1e-12)) / (1 + len(permuted)))
