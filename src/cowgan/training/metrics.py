"""Numbers that tell during training how good a generator is."""

from typing import Protocol

import torch
from torch import Tensor

from cowgan.randomness import stream
from cowgan.training.trainer import TrainingVolumes

SAMPLES = 96
"""Volumes that a metric is given."""


class Metric(Protocol):
    """Something that is measured every `metrics_every` steps of a run.

    Attributes
    ----------
    names : tuple of str
        What the numbers are called in the log.
    """

    names: tuple[str, ...]

    def __call__(self, volumes: Tensor) -> dict[str, float]:
        """Measure volumes of the averaged generator, always of the same latents.

        Parameters
        ----------
        volumes : Tensor
            Shape (`SAMPLES`, 1, z, x, y), 0 to 1.
        """


class MipCorrelation:
    """How alike the axial maximum intensity projections of volumes are.

    Much above what real volumes have, it tells that the generator repeats itself.

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
        self._real = mip_correlation(reals)

    @classmethod
    def of(cls, volumes: TrainingVolumes, seed: int) -> "MipCorrelation":
        """Return the metric with as many real volumes to compare with as it is given."""
        count = min(SAMPLES, len(volumes))
        chosen = stream("metrics", seed).choice(len(volumes), count, replace=False)
        return cls(torch.from_numpy(volumes.read(chosen.tolist())))

    def __call__(self, volumes: Tensor) -> dict[str, float]:
        """Measure generated volumes, and tell what the real ones have."""
        return dict(zip(self.names, (*mip_correlation(volumes), *self._real), strict=True))


def mip_correlation(volumes: Tensor) -> tuple[float, float]:
    """Return Pearson's correlation between axial MIPs; nan if one has a single grey level.

    Parameters
    ----------
    volumes : Tensor
        At least two, shape (N, 1, z, x, y).

    Returns
    -------
    mean : float
        Over all pairs.
    nearest : float
        Of each volume with the one most like it, on average.
    """
    pairs = torch.corrcoef(volumes.amax(2).flatten(1).double())
    n = len(pairs)
    others = ~torch.eye(n, dtype=torch.bool, device=pairs.device)
    apart = pairs[others].view(n, n - 1)
    return float(apart.mean()), float(apart.amax(1).mean())
