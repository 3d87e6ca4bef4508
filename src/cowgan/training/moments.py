"""Losses on what volumes have in common: the mean and deviation of each of many traits.

A difference that all volumes share is small in each of them, and a discriminator hardly sees it.
Over many volumes it is the largest part of their distance from real ones.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from cowgan.training.running_means import RunningMeans

_MIN_RMS = 0.3
"""Bounds the slope while volumes are still alike."""


class Traits(Protocol):
    """Numbers that describe a volume.

    Attributes
    ----------
    count : int
        How many.
    min_deviation : float
        Smallest standard deviation over real volumes that is told from none.
    max_measured : int or None
        Number of real volumes that are enough to measure them; None: all.
    """

    count: int
    min_deviation: float
    max_measured: int | None

    def __call__(self, volumes: Tensor) -> Tensor:
        """Return the traits of volumes (N, 1, z, x, y), shape (N, count). Differentiable."""


@dataclass(frozen=True)
class RealMoments:
    """Mean and standard deviation of each trait of real volumes.

    Parameters
    ----------
    mean, deviation : Tensor
        Shape (traits,).
    """

    mean: Tensor
    deviation: Tensor


class Moments(nn.Module):
    """The error of the mean and deviation of each trait, over volumes of past steps.

    Parameters
    ----------
    traits : Traits
        What is compared. Its state does not include them.
    """

    def __init__(self, traits: Traits) -> None:
        super().__init__()
        self.traits = traits
        initial = torch.tensor([0.0, 1.0])[:, None].repeat(1, traits.count)
        # Means of many more steps would lag behind the weights, which then oscillate.
        self.means = RunningMeans(initial, kept=0.98)

    @torch.no_grad()
    def measure(self, batches: Iterable[Tensor], mirrored: float) -> RealMoments:
        """Measure real volumes.

        Parameters
        ----------
        batches : iterable of Tensor
            Some volumes at a time, shape (N, 1, z, x, y).
        mirrored : float
            Share of volumes that are shown mirrored left to right.
        """
        device = self.means.values.device
        count, sums = 0, torch.zeros(())
        for volumes in batches:
            count += len(volumes)
            for side, share in ((volumes, 1 - mirrored), (volumes.flip(3), mirrored)):
                if share:
                    found = self.traits(side.to(device)).cpu().double()
                    sums = sums + share * torch.stack([found.sum(0), found.square().sum(0)])
        mean, square = sums / count
        deviation = (square - mean.square()).clamp(min=self.traits.min_deviation**2).sqrt()
        return RealMoments(mean.float().to(device), deviation.float().to(device))

    def forward(self, volumes: Tensor, real: RealMoments) -> Tensor:
        """Return the error, with the slope that new volumes have, and note them in `means`.

        Parameters
        ----------
        volumes : Tensor
            Generated, shape (N, 1, z, x, y).
        real : RealMoments
            Those of real volumes.

        Returns
        -------
        Tensor
            Scalar: the mean over traits of m² + (r - 1)², where m and r² are the running means of
            differences from the real mean, in units of the real deviation, and of their squares.
        """
        off = (self.traits(volumes) - real.mean) / real.deviation
        squares = off.square()
        self.means.note(torch.stack([off, squares]), torch.ones_like(off[:, 0]))
        mean, rms = self.means.values[0], self.means.values[1].sqrt()
        error = (mean.square() + (rms - 1).square()).mean()
        slope = (2 * mean * off + (1 - 1 / rms.clamp(min=_MIN_RMS)) * squares).mean()
        return error + slope - slope.detach()
