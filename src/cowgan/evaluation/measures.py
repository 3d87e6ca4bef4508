"""The measures that compare two sets of volumes, and how to read each."""

import math
from dataclasses import dataclass
from typing import Literal

from cowgan.evaluation.distances import (
    frechet_distance,
    kernel_distance,
    sliced_wasserstein,
)
from cowgan.evaluation.feature_rows import Rows
from cowgan.evaluation.manifolds import precision_recall_density_coverage, vendi_score

Reading = Literal["low", "high", "like real"]


@dataclass(frozen=True)
class Measure:
    """A number for how two sets of features differ.

    Parameters
    ----------
    key : str
        Its name in files.
    title : str
        For people.
    reading : {"low", "high", "like real"}
        What is good: a low or a high value, or the value that real volumes have.
    meaning : str
        What it measures, in one sentence.
    volumes_per_feature : float
        Volumes on each side, per feature, below which it prefers a loss of variety to real data.
    bounds : tuple of float
        Lowest and highest value that it can have.
    """

    key: str
    title: str
    reading: Reading
    meaning: str
    volumes_per_feature: float = 0.0
    bounds: tuple[float, float] = (-math.inf, math.inf)


_SHARE, _NOT_NEGATIVE = (0.0, 1.0), (0.0, math.inf)

KERNEL_DISTANCE = Measure(
    "kernel_distance",
    "Kernel distance (KID)",
    "low",
    "Distance between both distributions; unbiased, 0 for sets of one distribution.",
)
RECALL = Measure(
    "recall",
    "Recall",
    "high",
    "Share of real volumes that lie among generated ones: variety.",
    bounds=_SHARE,
)
SLICED_WASSERSTEIN = Measure(
    "sliced_wasserstein",
    "Sliced Wasserstein distance",
    "low",
    "Distance along random directions; sees missing variety in small sets.",
    bounds=_NOT_NEGATIVE,
)
PRECISION = Measure(
    "precision",
    "Precision",
    "like real",
    "Share of generated volumes that lie among real ones: fidelity.",
    bounds=_SHARE,
)
DENSITY = Measure(
    "density",
    "Density",
    "like real",
    "How closely generated volumes are surrounded by real ones; rises where variety is lost.",
    bounds=_NOT_NEGATIVE,
)
COVERAGE = Measure(
    "coverage",
    "Coverage",
    "like real",
    "Share of real volumes with a generated one nearby.",
    bounds=_SHARE,
)
VENDI = Measure(
    "vendi_ratio",
    "Vendi score, of real",
    "like real",
    "Effective number of different generated volumes, over that of real ones.",
    bounds=_NOT_NEGATIVE,
)
FRECHET_DISTANCE = Measure(
    "frechet_distance",
    "Fréchet distance",
    "like real",
    "Distance between normal distributions; biased upwards, and below the value of real against "
    "real where variety is lost.",
    volumes_per_feature=0.5,
    bounds=_NOT_NEGATIVE,
)

MEASURES = (
    KERNEL_DISTANCE,
    RECALL,
    SLICED_WASSERSTEIN,
    PRECISION,
    DENSITY,
    COVERAGE,
    VENDI,
    FRECHET_DISTANCE,
)
"""All measures, those that decide first."""


def measure_pair(real: Rows, generated: Rows) -> dict[str, float]:
    """Return all `MEASURES` by key.

    Parameters
    ----------
    real, generated : ndarray
        Features, see `cowgan.evaluation.feature_rows.Standardisation`; more than five rows each.

    Raises
    ------
    CowganError
        There are too few rows, or they differ in length.
    """
    manifolds = precision_recall_density_coverage(real, generated)
    n = min(len(real), len(generated))
    return {
        KERNEL_DISTANCE.key: kernel_distance(real, generated),
        RECALL.key: manifolds.recall,
        SLICED_WASSERSTEIN.key: sliced_wasserstein(real, generated),
        PRECISION.key: manifolds.precision,
        DENSITY.key: manifolds.density,
        COVERAGE.key: manifolds.coverage,
        VENDI.key: vendi_score(generated[:n]) / vendi_score(real[:n]),
        FRECHET_DISTANCE.key: frechet_distance(real, generated),
    }
