"""Metrics that a run logs while it trains."""

from typing import Protocol

import torch
from torch import Tensor

from cowgan.evaluation.similarity import correlation_rows, mean_and_nearest
from cowgan.randomness import stream
from cowgan.training.step_inputs import TrainingVolumes

SAMPLES = 96
"""Number of volumes that a metric is given."""


class TrainingMetric(Protocol):
    """A measure of generated volumes, taken every `metrics_every` steps of a run.

    Attributes
    ----------
    names : tuple of str
        Names of the numbers in the log.
    """

    names: tuple[str, ...]

    def __call__(self, volumes: Tensor) -> dict[str, float]:
        """Measure volumes of the EMA generator, always from the same latents.

        Parameters
        ----------
        volumes : Tensor
            Shape (`SAMPLES`, 1, z, x, y), 0 to 1.
        """


class MipCorrelation:
    """A metric: Pearson correlation between the axial MIPs of volumes.

    Far above that of real volumes, it shows mode collapse.

    Parameters
    ----------
    reals : Tensor
        Real volumes to compare with, shape (N, 1, z, x, y).
    """

    names: tuple[str, ...] = (
        "mip_correlation",
        "mip_correlation_nearest",
        "mip_correlation_of_reals",
        "mip_correlation_nearest_of_reals",
    )

    def __init__(self, reals: Tensor) -> None:
        self._real = _mip_correlation(reals)

    @classmethod
    def of(cls, volumes: TrainingVolumes, seed: int) -> "MipCorrelation":
        """Return the metric, compared with as many real volumes as it is given generated ones."""
        count = min(SAMPLES, len(volumes))
        chosen = stream("metrics", seed).choice(len(volumes), count, replace=False)
        return cls(torch.from_numpy(volumes.read(chosen.tolist())))

    def __call__(self, volumes: Tensor) -> dict[str, float]:
        """Return the measures of generated volumes, and those of real ones beside them."""
        return dict(zip(self.names, (*_mip_correlation(volumes), *self._real), strict=True))


def _mip_correlation(volumes: Tensor) -> tuple[float, float]:
    return mean_and_nearest(correlation_rows(volumes.amax(2)[:, 0].cpu().numpy()))
