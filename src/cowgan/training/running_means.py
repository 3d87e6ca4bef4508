"""Running means over the volumes of past steps."""

import torch
from torch import Tensor, nn

from cowgan.training.distributed import ProcessGroup


class RunningMeans(nn.Module):
    """Running means of several numbers of each trait of volumes.

    Parameters
    ----------
    initial : Tensor
        Means to begin with, shape (numbers, traits).
    kept : float
        Share of the means that a step keeps.

    Attributes
    ----------
    values : Tensor
        The present means, shape (numbers, traits).
    """

    values: Tensor
    sums: Tensor
    count: Tensor

    def __init__(self, initial: Tensor, kept: float) -> None:
        super().__init__()
        self._kept = kept
        self.register_buffer("values", initial.clone())
        self.register_buffer("sums", torch.zeros_like(initial), persistent=False)
        self.register_buffer("count", torch.zeros(()), persistent=False)

    @torch.no_grad()
    def note(self, numbers: Tensor, counted: Tensor) -> None:
        """Take note of some of a step's volumes.

        Parameters
        ----------
        numbers : Tensor
            Shape (numbers, N, traits).
        counted : Tensor
            1 for volumes that count and 0 for others, shape (N,).
        """
        # No matrix product, which would be rounded in mixed precision.
        self.sums += (counted[:, None] * numbers).sum(1)
        self.count += counted.sum()

    def update(self, processes: ProcessGroup) -> None:
        """Take the step's volumes, of all processes, into the means."""
        processes.sum_tensors([self.sums, self.count])
        # A step whose volumes are not finite is skipped.
        if bool(self.sums.isfinite().all()) and bool(self.count > 0):
            self.values.lerp_(self.sums / self.count, 1 - self._kept)
        self.sums.zero_()
        self.count.zero_()
