"""Sets of features compared by their nearest neighbours, and by clusters.

Everywhere `real` and `generated` are features of shape (n, features) and (m, features), finite
and at least two rows each; anything else raises `CowganError`.
"""

# scikit-learn is not typed.
# mypy: disable-error-code="import-untyped"

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import trapezoid
from scipy.spatial.distance import cdist

from cowgan.errors import CowganError
from cowgan.evaluation.feature_rows import Rows, check_features, check_pair
from cowgan.randomness import stream

NEIGHBOURS = 5

_ANGLES, _RUNS = 1001, 10
_EPSILON = 1e-10


class ManifoldMeasures(NamedTuple):
    """How far two sets lie within each other's neighbourhoods.

    Density and coverage also rise when a generator makes only what is most typical, so they are
    right where they are as for two sets of real volumes, not where they are high.

    Attributes
    ----------
    precision : float
        Share of generated samples within the neighbourhood of any real one.
    recall : float
        Share of real samples within the neighbourhood of any generated one.
    density : float
        Mean number of real neighbourhoods around a generated sample, divided by k; about 1 for
        sets of one distribution, and not bounded by it.
    coverage : float
        Share of real samples with a generated one in their neighbourhood.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def precision_recall_density_coverage(
    real: ArrayLike, generated: ArrayLike, k: int = NEIGHBOURS
) -> ManifoldMeasures:
    """Return four measures by neighbourhoods, which are balls out to the k-th neighbour.

    Precision and recall after Kynkäänniemi et al., "Improved Precision and Recall Metric for
    Assessing Generative Models", NeurIPS 2019; density and coverage after Naeem et al.,
    "Reliable Fidelity and Diversity Metrics for Generative Models", ICML 2020. A sample on the
    edge of a ball is outside of it, as in Naeem's code.

    Parameters
    ----------
    real, generated : array_like
        Features, more than k rows each.
    k : int
        Number of neighbours.

    Raises
    ------
    CowganError
        There are too few rows.
    """
    one, other = check_pair(real, generated)
    if not 1 <= k < min(len(one), len(other)):
        raise CowganError(
            f"Neighbourhoods of {k} need more than {k} volumes on each side, but there are "
            f"{len(one)} real and {len(other)} generated ones."
        )
    distances = cdist(one, other)
    around_real = distances < _radii(one, k)[:, None]
    around_generated = distances < _radii(other, k)
    return ManifoldMeasures(
        precision=float(around_real.any(0).mean()),
        recall=float(around_generated.any(1).mean()),
        density=float(around_real.sum() / (k * len(other))),
        coverage=float(around_real.any(1).mean()),
    )


def realism_scores(real: ArrayLike, generated: ArrayLike, k: int = NEIGHBOURS) -> Rows:
    """Return how realistic each generated sample is; above 1, it lies among the real ones.

    Kynkäänniemi et al. 2019: the largest ratio of the radius of a real neighbourhood to the
    distance from its centre. The half of the real samples with the widest neighbourhoods is left
    out, since their surroundings are hardly known.

    Parameters
    ----------
    real, generated : array_like
        Features, more than k real rows.
    k : int
        Number of neighbours.
    """
    one, other = check_pair(real, generated)
    radii = _radii(one, k)
    known = radii <= np.median(radii)
    distances = np.maximum(cdist(one[known], other), np.finfo(np.float64).tiny)
    return np.asarray((radii[known][:, None] / distances).max(0))


def authentic_share(
    training: ArrayLike, generated: ArrayLike, subjects: Sequence[str] | None = None
) -> float:
    """Return the share of generated samples farther from training data than that from itself.

    Alaa et al., "How Faithful is your Synthetic Data?", ICML 2022. A generated sample is
    authentic if its nearest training sample has a nearer neighbour among the others. Falls with
    diversity as well as with copying, so compare it with that of a holdout.

    Parameters
    ----------
    training, generated : array_like
        Features.
    subjects : sequence of str, optional
        Of the training samples; scans of one subject are no neighbours.

    Raises
    ------
    CowganError
        All training samples are of one subject.
    """
    one, other = check_pair(training, generated)
    names = np.arange(len(one)) if subjects is None else np.array(subjects)
    among = cdist(one, one)
    among[names[:, None] == names] = np.inf
    to_others = among.min(1)
    if np.isinf(to_others).any():
        raise CowganError("Training samples of a single subject have no neighbours to compare.")
    distances = cdist(one, other)
    closest = distances.argmin(0)
    return float((to_others[closest] < distances.min(0)).mean())


def prd_auc(real: ArrayLike, generated: ArrayLike, clusters: int = 10, seed: int = 0) -> float:
    """Return the area under the precision-recall curve of distributions (AUC-PRD).

    Sajjadi et al., "Assessing Generative Models via Precision and Recall", NeurIPS 2018, as
    Aydin et al. 2024 compute it: k-means over both sets, 1001 angles, the mean curve of ten
    runs. It depends on the clusters that are found; runs differ by 0.005 to 0.02.

    Parameters
    ----------
    real, generated : array_like
        Features. Of the larger set as many rows as the smaller has are drawn.
    clusters : int
        Number of clusters.
    seed : int
        Seed of the draw and of the clusters.

    Raises
    ------
    CowganError
        There are fewer rows than clusters, or scikit-learn is not installed.
    """
    one, other = check_pair(real, generated)
    n = min(len(one), len(other))
    if not 2 <= clusters <= n:
        raise CowganError(f"For {clusters} clusters, {n} volumes on each side are too few.")
    try:
        from sklearn.cluster import MiniBatchKMeans
    except ImportError as error:
        raise CowganError(
            'AUC-PRD needs scikit-learn; install "napari-cowgan[evaluate]".'
        ) from error
    random = stream("prd", seed)
    one, other = (
        rows if len(rows) == n else rows[np.sort(random.permutation(len(rows))[:n])]
        for rows in (one, other)
    )
    both = np.concatenate([other, one])
    curves = []
    for _ in range(_RUNS):
        state = int(random.randint(2**31))
        labels = MiniBatchKMeans(clusters, n_init=10, random_state=state).fit(both).labels_
        curves.append(prd_curve(labels[n:], labels[:n]))
    return area_under_prd(*np.mean(curves, axis=0))


def prd_curve(real: NDArray[np.integer], generated: NDArray[np.integer]) -> tuple[Rows, Rows]:
    """Return precision and recall over 1001 angles, from the cluster of each sample.

    Parameters
    ----------
    real, generated : ndarray of int
        Clusters, from 0.
    """
    count = int(max(real.max(), generated.max())) + 1
    reference, evaluated = (
        np.bincount(labels, minlength=count) / len(labels) for labels in (real, generated)
    )
    slopes = np.tan(np.linspace(_EPSILON, np.pi / 2 - _EPSILON, _ANGLES))
    precision = np.minimum(reference * slopes[:, None], evaluated).sum(1)
    return np.clip(precision, 0, 1), np.clip(precision / slopes, 0, 1)


def area_under_prd(precision: Rows, recall: Rows) -> float:
    """Return the area under a curve of `prd_curve`."""
    # The published code leaves the order of equal recalls to the sorting algorithm.
    order = np.lexsort((-precision, recall))
    return float(trapezoid(precision[order], recall[order]))


def vendi_score(features: ArrayLike) -> float:
    """Return the effective number of different samples in a set.

    Friedman and Dieng, "The Vendi Score", TMLR 2023, with the cosine of features as similarity:
    the exponential of the entropy of its eigenvalues. Grows with the number of rows, so compare
    sets of one size.

    Parameters
    ----------
    features : array_like
        Shape (n, features).

    Raises
    ------
    CowganError
        A row is zero throughout.
    """
    rows = check_features(features, "given")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not lengths.all():
        raise CowganError("A volume whose features are all zero is like no other.")
    singular = np.linalg.svd(rows / lengths, compute_uv=False)
    shares = singular**2 / len(rows)
    shares = shares[shares > 0]
    return float(np.exp(-(shares * np.log(shares)).sum()))


def _radii(rows: Rows, k: int) -> Rows:
    """Return the distance of each row to its k-th neighbour."""
    # The nearest, at place 0, is the row itself.
    return np.asarray(np.partition(cdist(rows, rows), k, 1)[:, k])
