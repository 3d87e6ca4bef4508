"""The update of a network's weights, once a step."""

from collections.abc import Sequence
from typing import Any

import torch

from cowgan.training.distributed import ProcessGroup
from cowgan.training.gradients import GradientSum
from cowgan.training.mixed_precision import MixedPrecision


class Optimiser:
    """AdamW on the gradients of all passes and processes of a step.

    Parameters
    ----------
    groups : sequence of dict
        Parameters, learning rates and weight decays, as `torch.optim.AdamW` takes them; without
        weight decay, which is the default, it is Adam.
    betas : tuple of float
        Decay of Adam's two moments.
    precision : MixedPrecision
        Scale of the gradients.
    processes : ProcessGroup
        The processes that share a step.

    Attributes
    ----------
    adam : torch.optim.AdamW
        Moments and learning rates.
    """

    def __init__(
        self,
        groups: Sequence[dict[str, Any]],
        betas: tuple[float, float],
        precision: MixedPrecision,
        processes: ProcessGroup,
    ) -> None:
        filled = [group for group in groups if group["params"]]
        self.adam = torch.optim.AdamW(filled, betas=betas, eps=1e-8, weight_decay=0.0)
        self._parameters = [p for group in groups for p in group["params"]]
        self._gradients = GradientSum(self._parameters)
        self._scaler = precision.scaler
        self._processes = processes

    def set_trainable(self, trainable: bool) -> None:
        """Switch gradients of the parameters on or off."""
        for parameter in self._parameters:
            parameter.requires_grad_(trainable)

    def collect(self) -> None:
        """Take the gradients of a pass."""
        self._gradients.collect()

    def discard(self) -> None:
        """End the step without an update."""
        self._gradients.clear()

    def update(self) -> bool:
        """Update the parameters unless a gradient is not finite; return whether it was done."""
        self._gradients.reduce(self._processes)
        self._scaler.unscale_(self.adam)
        norms = torch._foreach_norm([p.grad for p in self._parameters if p.grad is not None])
        good = bool(torch.isfinite(torch.stack(norms)).all())
        if good:
            self._scaler.step(self.adam)
        self.adam.zero_grad(set_to_none=True)
        return good
