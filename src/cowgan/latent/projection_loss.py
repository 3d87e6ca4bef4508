"""How far a rendered volume is from the scan that it shall match."""

import torch
from torch import Tensor
from torch.nn import functional

_SCALES = 3
_OF_SQUARES = 120.0
_OF_CORRELATION = 0.3
_OF_PROJECTIONS = 0.5
_WINDOW = 5
_LEAST_VARIANCE = 1e-3
_LEAST_SHARE = 0.5
"""Share of a coarse voxel that must have been imaged for it to count in projections."""


class ProjectionLoss:
    """Squared differences at several scales, local correlation, and differences of MIPs.

    Only voxels that the scan shows count. An image may be coarser than the scan, which is then
    averaged to the same shape, so that a generator's early blocks can be compared with it.

    Parameters
    ----------
    target : Tensor, shape (1, 1, z, x, y)
        The scan, in [0, 1].
    inside : Tensor, shape (1, 1, z, x, y)
        1 in voxels that it shows, 0 elsewhere.
    """

    def __init__(self, target: Tensor, inside: Tensor) -> None:
        self._target, self._inside = target * inside, inside
        self._of_shape: dict[tuple[int, int, int], _OfShape] = {}

    def target(self, shape: tuple[int, int, int]) -> tuple[Tensor, Tensor]:
        """Return the scan averaged to a shape (z, x, y), and the share of each voxel it shows."""
        share = functional.adaptive_avg_pool3d(self._inside, shape)
        mean = functional.adaptive_avg_pool3d(self._target, shape)
        return mean / share.clamp(min=1e-6), share

    def __call__(self, image: Tensor) -> Tensor:
        """Return the loss of an image of shape (1, 1, z, x, y)."""
        z, x, y = image.shape[2:]
        shape = z, x, y
        if shape not in self._of_shape:
            self._of_shape[shape] = _OfShape(*self.target(shape))
        return self._of_shape[shape](image)


class _OfShape:
    """The loss of images of one shape."""

    def __init__(self, target: Tensor, share: Tensor) -> None:
        self._levels = [(target * share, share)]
        for _ in range(_SCALES - 1):
            target, share = _halved(self._levels[-1][0]), _halved(self._levels[-1][1])
            self._levels.append((target, share))
        weighted, share = self._levels[min(1, _SCALES - 1)]
        self._correlation = _LocalCorrelation(weighted, share)
        self._seen = (self._levels[0][1] >= _LEAST_SHARE).to(target.dtype)
        self._mips = [(self._levels[0][0] * self._seen).amax(axis) for axis in (2, 3, 4)]

    def __call__(self, image: Tensor) -> Tensor:
        seen = image * self._seen
        projections = [
            functional.l1_loss(seen.amax(axis), mip)
            for axis, mip in zip((2, 3, 4), self._mips, strict=True)
        ]
        loss = _OF_PROJECTIONS * torch.stack(projections).sum()
        weighted = image * self._levels[0][1]
        for level, (target, share) in enumerate(self._levels):
            if level:
                weighted = _halved(weighted)
            if level == 1:
                loss = loss + _OF_CORRELATION * (1 - self._correlation(weighted))
            squares = (weighted - target).square().sum() / share.sum().clamp(min=1)
            loss = loss + _OF_SQUARES * 2**level * squares
        return loss


class _LocalCorrelation:
    """Mean correlation with a target in small windows; both are weighted by what was imaged."""

    def __init__(self, target: Tensor, share: Tensor) -> None:
        self._share = _windowed(share).clamp(min=1e-6)
        self._weight = self._share / self._share.sum()
        self._target = target
        self._mean = _windowed(target) / self._share
        self._variance = (_windowed(target.square()) / self._share - self._mean.square()).clamp(
            min=0
        ) + _LEAST_VARIANCE

    def __call__(self, image: Tensor) -> Tensor:
        mean = _windowed(image) / self._share
        variance = (_windowed(image.square()) / self._share - mean.square()).clamp(min=0)
        covariance = _windowed(image * self._target) / self._share - mean * self._mean
        correlation = covariance / (self._variance * (variance + _LEAST_VARIANCE)).sqrt()
        return (correlation * self._weight).sum()


def _halved(x: Tensor) -> Tensor:
    return functional.avg_pool3d(x, [2 if n > 1 else 1 for n in x.shape[2:]])


def _windowed(x: Tensor) -> Tensor:
    """Average over a cubic window, axis by axis, which is an order of magnitude faster."""
    for axis in range(3):
        width = min(_WINDOW, (x.shape[axis + 2] - 1) // 2 * 2 + 1)
        size, padding = [1, 1, 1], [0, 0, 0]
        size[axis], padding[axis] = width, width // 2
        x = functional.avg_pool3d(x, size, 1, padding, count_include_pad=False)
    return x
