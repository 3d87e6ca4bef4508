"""The number format of training."""

import torch
from torch import Tensor

from cowgan.errors import CowganError
from cowgan.synthesis.precision import choose_dtype

_DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


class MixedPrecision:
    """The number format of forward passes, and the scale of losses that it needs.

    Parameters
    ----------
    device : torch.device
        Device of the networks.
    precision : {"auto", "fp32", "bf16", "fp16"}
        As in `TrainingConfig`.

    Attributes
    ----------
    scaler : torch.amp.GradScaler
        Scales losses in fp16, whose smallest gradients would become 0.

    Raises
    ------
    CowganError
        The device cannot train in this format.
    """

    def __init__(self, device: torch.device, precision: str) -> None:
        self._device = device
        self._dtype = choose_dtype(device, "fast") if precision == "auto" else _DTYPES[precision]
        half = self._dtype == torch.float16
        if half and device.type != "cuda":
            raise CowganError("Training in fp16 needs a CUDA GPU; use bf16 or fp32.")
        self.scaler = torch.amp.GradScaler(device.type, enabled=half)

    def autocast(self) -> torch.autocast:
        """Return a context in which networks compute in this format."""
        low = self._dtype != torch.float32
        return torch.autocast(self._device.type, self._dtype if low else None, enabled=low)

    def backward(self, loss: Tensor) -> None:
        """Add the gradients of a loss, scaled, to those of the weights."""
        self.scaler.scale(loss).backward()
