"""Normal scores: values of each voxel of a map as quantiles of a normal distribution."""

import torch
from torch import Tensor, nn
from torch.special import ndtr, ndtri

EMPTY = 0.02
"""Value of a vessel map below which a voxel counts as empty."""

_LARGEST = 3.5
_LEVELS = 141


class NormalScores(nn.Module):
    """A monotone function of each voxel that makes its values standard normal, and its inverse.

    Empty voxels have a score below a threshold of their place; how far below is unknown.

    Parameters
    ----------
    voxels : int
        Number of voxels of a map.
    """

    levels: Tensor
    thresholds: Tensor

    def __init__(self, voxels: int) -> None:
        super().__init__()
        self.register_buffer("levels", torch.zeros(_LEVELS, voxels))
        self.register_buffer("thresholds", torch.zeros(voxels))

    @torch.no_grad()
    def fit(self, maps: Tensor) -> None:
        """Fit the function to maps (N, voxels)."""
        count = len(maps)
        place = ndtr(self.grid) * (count - 1)
        ordered = maps.sort(0).values
        low = place.long()
        self.levels.copy_(ordered[low].lerp(ordered[low + 1], (place - low)[:, None]))
        empty = (maps < EMPTY).float().mean(0)
        self.thresholds.copy_(ndtri(empty.clamp(0.5 / count, 1 - 0.5 / count)))

    @property
    def grid(self) -> Tensor:
        """The scores of the levels."""
        return torch.linspace(-_LARGEST, _LARGEST, _LEVELS, device=self.levels.device)

    @property
    def occupied(self) -> Tensor:
        """Whether each voxel is occupied in any of the fitted maps, shape (voxels,)."""
        return self.levels[-1] >= EMPTY

    def forward(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Return scores of maps (N, voxels), and which are only known to be below the threshold.

        Those are the mean of a normal distribution below the threshold.
        """
        upper = torch.searchsorted(self.levels.T.contiguous(), maps.T.contiguous()).T
        upper = upper.clamp(1, _LEVELS - 1)
        above, below = self.levels.gather(0, upper), self.levels.gather(0, upper - 1)
        share = ((maps - below) / (above - below).clamp(min=1e-12)).clamp(0, 1)
        score = (upper - 1 + share) * (2 * _LARGEST / (_LEVELS - 1)) - _LARGEST
        empty = (maps < EMPTY) | ~self.occupied
        return torch.where(empty, below_threshold(self.thresholds), score), empty

    def maps(self, scores: Tensor) -> Tensor:
        """Return the maps (N, voxels) with given scores."""
        place = (scores + _LARGEST) * ((_LEVELS - 1) / (2 * _LARGEST))
        place = place.clamp(0, _LEVELS - 1 - 1e-4)
        low = place.long()
        values = self.levels.gather(0, low).lerp(self.levels.gather(0, low + 1), place - low)
        return torch.where(self.occupied, values, 0.0)


def below_threshold(limit: Tensor) -> Tensor:
    """Return the mean of a standard normal distribution below a limit."""
    return -torch.exp(-limit.square() / 2 - torch.special.log_ndtr(limit)) / (2 * torch.pi) ** 0.5
