"""A loss on what projections have in common: the mean and deviation of each pixel.

A difference in brightness that all volumes share is small in each of them, and a discriminator
hardly sees it. Over many volumes it is the largest part of their distance from real ones.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from cowgan.features.views import PLANES, projection
from cowgan.training.running_means import RunningMeans

_MAX_COLUMNS = 64
_MIN_DEVIATION = 0.02
"""Of a pixel, in grey levels."""

_MIN_RMS = 0.3
"""Bounds the slope while volumes are still alike."""


@dataclass(frozen=True)
class RealProjections:
    """Mean and standard deviation of each pixel of real volumes' projections.

    Parameters
    ----------
    mean, deviation : Tensor
        Shape (pixels,).
    """

    mean: Tensor
    deviation: Tensor

    def to(self, device: torch.device) -> "RealProjections":
        """Return the same on another device."""
        return RealProjections(self.mean.to(device), self.deviation.to(device))


@torch.no_grad()
def measure_projections(batches: Iterable[Tensor], mirrored: float) -> RealProjections:
    """Measure the projections of real volumes.

    Parameters
    ----------
    batches : iterable of Tensor
        Some volumes at a time, shape (N, 1, z, x, y).
    mirrored : float
        Share of volumes that are shown mirrored left to right.
    """
    count, moments = 0, torch.zeros(())
    for volumes in batches:
        count += len(volumes)
        for side, share in ((volumes, 1 - mirrored), (volumes.flip(3), mirrored)):
            pixels = _pixels(side).double()
            moments = moments + share * torch.stack([pixels.sum(0), pixels.square().sum(0)])
    mean, square = moments / count
    deviation = (square - mean.square()).clamp(min=0).sqrt()
    return RealProjections(mean.float(), deviation.float().clamp(min=_MIN_DEVIATION))


class ProjectionMoments(nn.Module):
    """The error of the mean and deviation of each pixel, over volumes of past steps.

    Parameters
    ----------
    shape : tuple of int
        Voxels (z, x, y) of volumes.
    """

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        pixels = _pixels(torch.zeros(1, 1, *shape)).shape[1]
        initial = torch.tensor([0.0, 1.0])[:, None].repeat(1, pixels)
        # Means of many more steps would lag behind the weights, which then oscillate.
        self.means = RunningMeans(initial, kept=0.98)

    def forward(self, volumes: Tensor, real: RealProjections) -> Tensor:
        """Return the error, with the slope that new volumes have, and note them in `means`.

        Parameters
        ----------
        volumes : Tensor
            Generated, shape (N, 1, z, x, y).
        real : RealProjections
            Projections of real volumes of this shape.

        Returns
        -------
        Tensor
            Scalar: the mean over pixels of m² + (r - 1)², where m and r² are the running means of
            differences from the real mean, in units of the real deviation, and of their squares.
        """
        pixels = (_pixels(volumes.clamp(0, 1)).float() - real.mean) / real.deviation
        squares = pixels.square()
        counted = torch.ones_like(pixels[:, 0])
        self.means.note(torch.stack([pixels, squares]), counted)
        mean, rms = self.means.values[0], self.means.values[1].sqrt()
        error = (mean.square() + (rms - 1).square()).mean()
        slope = (2 * mean * pixels + (1 - 1 / rms.clamp(min=_MIN_RMS)) * squares).mean()
        return error + slope - slope.detach()


def _pixels(volumes: Tensor) -> Tensor:
    """Return the pixels of projections onto each plane, of at most 64 columns, (N, pixels)."""
    parts = []
    for plane in PLANES:
        picture = projection(volumes, plane)
        factors = [max(1, size // _MAX_COLUMNS) for size in picture.shape[2:]]
        parts.append(functional.avg_pool2d(picture, factors).flatten(1))
    return torch.cat(parts, 1)
