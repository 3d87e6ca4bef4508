"""Gradients summed over the passes and processes of a step."""

from collections.abc import Iterable

import torch
from torch import nn

from cowgan.training.distributed import ProcessGroup


class GradientSum:
    """Sum of the gradients of all passes, whatever their order and process.

    In float64: sums in float32 depend on their order, and Adam turns even gradients of pure
    rounding errors into full steps.

    Parameters
    ----------
    parameters : iterable of Parameter
        Trainable parameters.
    """

    def __init__(self, parameters: Iterable[nn.Parameter]) -> None:
        self._parameters = list(parameters)
        self._sums: dict[nn.Parameter, torch.Tensor] = {}

    def collect(self) -> None:
        """Move the parameters' gradients to the sum after a pass."""
        for parameter in self._parameters:
            if parameter.grad is None:
                continue
            if parameter in self._sums:
                self._sums[parameter] += parameter.grad
            else:
                # Apple's GPU has no float64.
                exact = torch.float32 if parameter.device.type == "mps" else torch.float64
                self._sums[parameter] = parameter.grad.to(exact, copy=True)
            parameter.grad = None

    def reduce(self, processes: ProcessGroup) -> None:
        """Set the parameters' gradients to the sum over all processes, and clear it."""
        processes.sum_tensors(list(self._sums.values()))
        for parameter, total in self._sums.items():
            parameter.grad = total.to(parameter.dtype)
        self._sums.clear()

    def clear(self) -> None:
        """Discard the sum."""
        self._sums.clear()
