"""Metrics of a training run against subjects that training never sees."""

import math

import numpy as np
import torch
from torch import Tensor

from cowgan.bank.bank import Bank
from cowgan.data.subjects import first_of_each
from cowgan.errors import CowganError
from cowgan.evaluation.feature_rows import Rows, Standardisation
from cowgan.evaluation.measures import MEASURES, measure_pair
from cowgan.features.coarse_vessels import CoarseVesselFeatures
from cowgan.training.bank_subset import BankSubset
from cowgan.training.metrics import SAMPLES
from cowgan.training.step_inputs import batches

MIN_SUBJECTS = 20
"""Subjects needed in the holdout, and in the training set, for a comparison to mean anything."""

_MEASURES = tuple(measure.key for measure in MEASURES)


class HoldoutMetrics:
    """A metric: the measures of an evaluation, against held-out subjects.

    The features are those of `CoarseVesselFeatures`. Each subject counts once. The same measures
    of real training volumes show what a generator can reach.

    Parameters
    ----------
    held_out, trained_on : Tensor
        Volumes of different subjects, shape (N, 1, z, x, y) and (M, 1, z, x, y).
    """

    names: tuple[str, ...] = (*_MEASURES, *(f"{key}_of_reals" for key in _MEASURES))

    def __init__(self, held_out: Tensor, trained_on: Tensor) -> None:
        self._scale = Standardisation(_features(trained_on))
        self._held_out = self._standardised(held_out)
        self._real = self._compare(trained_on[:SAMPLES])

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
        reals, scale = batches(held_out, SAMPLES), batches(trained_on, 4 * SAMPLES)
        return cls(torch.cat(list(reals)), torch.cat(list(scale)))

    def __call__(self, volumes: Tensor) -> dict[str, float]:
        """Return the measures of generated volumes, and those of real ones beside them."""
        numbers = (*self._compare(volumes.cpu()), *self._real)
        return dict(zip(self.names, numbers, strict=True))

    def _standardised(self, volumes: Tensor) -> Rows:
        return self._scale(_features(volumes))

    def _compare(self, volumes: Tensor) -> list[float]:
        try:
            rows = self._standardised(volumes)
            return list(measure_pair(self._held_out, rows).values())
        except CowganError:  # an untrained or failed generator makes volumes without contrast
            return [math.nan] * len(_MEASURES)


def _features(volumes: Tensor) -> Rows:
    extractor = CoarseVesselFeatures()
    rows = [extractor.of_array(volume) for volume in volumes[:, 0].float().numpy()]
    return np.concatenate(rows).astype(np.float64)
