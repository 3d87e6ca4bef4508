"""Metrics of a training run against subjects that training never sees."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from cowgan.bank.bank import Bank
from cowgan.data.subjects import first_of_each
from cowgan.evaluation.distances import kernel_distance
from cowgan.evaluation.feature_rows import Rows, Standardisation
from cowgan.evaluation.manifolds import precision_recall_density_coverage
from cowgan.features.vessel_occupancy import vessel_maps
from cowgan.features.views import projection
from cowgan.training.bank_subset import BankSubset
from cowgan.training.metrics import SAMPLES

MIN_SUBJECTS = 20
"""Subjects needed in the holdout, and in the training set, for a comparison to mean anything."""

_MIP_SIZE = 64
_READ_TOGETHER = 16


class HoldoutMetrics:
    """A metric: kernel distance, recall and coverage against held-out subjects.

    The features of a volume are its coarse vessel map and its axial MIP. Each subject counts
    once. The same measures of real training volumes show what a generator can reach.

    Parameters
    ----------
    held_out, trained_on : Tensor
        Volumes of different subjects, shape (N, 1, z, x, y) and (M, 1, z, x, y).
    """

    names: tuple[str, ...] = (
        "kernel_distance",
        "recall",
        "coverage",
        "kernel_distance_of_reals",
        "recall_of_reals",
        "coverage_of_reals",
    )

    def __init__(self, held_out: Tensor, trained_on: Tensor) -> None:
        self._scale = Standardisation(_features(trained_on))
        self._held_out = self._standardised(held_out)
        self._real = self._compare(self._standardised(trained_on[:SAMPLES]))

    @classmethod
    def of(cls, bank: Bank, shape: tuple[int, int, int]) -> "HoldoutMetrics | None":
        """Return the metric for volumes of a shape, or None if too few subjects are held out."""
        held_out, trained_on = (
            BankSubset(
                bank, shape, indices[first_of_each([bank.cases[i].subject for i in indices])]
            )
            for indices in (bank.holdout, bank.training)
        )
        if min(len(held_out), len(trained_on)) < MIN_SUBJECTS:
            return None
        return cls(_read(held_out, SAMPLES), _read(trained_on, 4 * SAMPLES))

    def __call__(self, volumes: Tensor) -> dict[str, float]:
        """Return the measures of generated volumes, and those of real ones beside them."""
        found = self._compare(self._standardised(volumes.cpu()))
        return dict(zip(self.names, (*found, *self._real), strict=True))

    def _standardised(self, volumes: Tensor) -> Rows:
        return self._scale(_features(volumes))

    def _compare(self, rows: Rows) -> tuple[float, float, float]:
        if not np.isfinite(rows).all():
            return math.nan, math.nan, math.nan
        manifolds = precision_recall_density_coverage(self._held_out, rows)
        return kernel_distance(self._held_out, rows), manifolds.recall, manifolds.coverage


def _features(volumes: Tensor) -> Rows:
    """Return vessel maps and axial MIPs as rows."""
    mips = projection(volumes, "axial")
    factor = max(1, mips.shape[-1] // _MIP_SIZE)
    parts = (vessel_maps(volumes), functional.avg_pool2d(mips, factor))
    return torch.cat([part.flatten(1) for part in parts], 1).double().numpy()


def _read(subset: BankSubset, limit: int) -> Tensor:
    count = min(len(subset), limit)
    parts = [
        torch.from_numpy(subset.read(list(range(i, min(i + _READ_TOGETHER, count)))))
        for i in range(0, count, _READ_TOGETHER)
    ]
    return torch.cat(parts)
