"""Gradients of a step that is done in parts."""

from collections.abc import Iterable

import torch
from torch import nn

from cowgan.training.distributed import Processes


class GradientSum:
    """Adds up the gradients of passes, wherever and in whatever order they are done.

    In float64: sums in float32 depend on their order, and Adam makes steps of full length of
    gradients that are nothing but rounding.

    Parameters
    ----------
    parameters : iterable of Parameter
        What learns.
    """

    def __init__(self, parameters: Iterable[nn.Parameter]) -> None:
        self._parameters = list(parameters)
        self._sums: dict[nn.Parameter, torch.Tensor] = {}

    def collect(self) -> None:
        """Move what a pass has left in the parameters' gradients to the sum."""
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

    def hand_over(self, processes: Processes) -> None:
        """Make the sum over all processes the parameters' gradients, and start anew."""
        processes.add_up(list(self._sums.values()))
        for parameter, total in self._sums.items():
            parameter.grad = total.to(parameter.dtype)
        self._sums.clear()

    def clear(self) -> None:
        """Forget the sum."""
        self._sums.clear()
