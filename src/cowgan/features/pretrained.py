"""What extractors of published, pretrained networks share."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from cowgan.errors import CowganError
from cowgan.torch_files import fill, is_weight, read_torch_file
from cowgan.volume import Volume

NetworkT = TypeVar("NetworkT", bound=nn.Module)

_FAST_LAYOUTS = {4: torch.channels_last, 5: torch.channels_last_3d}
"""Memory formats of the weights of convolutions, by number of axes."""


class FrozenNorm(nn.Module):
    """Batch normalisation by stored statistics.

    Its tensors are those of `torch.nn.BatchNorm2d` or `torch.nn.BatchNorm3d`, without the number
    of batches, which old files lack.

    Parameters
    ----------
    channels : int
        Number of channels.
    eps : float
        Added to the variance.
    """

    weight: Tensor
    bias: Tensor
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, eps: float = 1e-5) -> None:
        super().__init__()
        for name in ("weight", "bias", "running_mean", "running_var"):
            self.register_buffer(name, torch.ones(channels))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each channel."""
        return functional.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps
        )


def load_pretrained(
    build: Callable[[], NetworkT], weights: Path, what: str, unused: str
) -> NetworkT:
    """Return a network with the weights of a published file.

    Parameters
    ----------
    build : callable
        Returns the network.
    weights : Path
        File of ``torch.save``: tensors by name, or a dict with such as ``"state_dict"``. Names
        may begin with "module.", as those of networks that were trained on several devices do.
    what : str
        Name of the network in errors.
    unused : str
        How the names of tensors begin that the file may hold and features do without.

    Raises
    ------
    CowganError
        The file cannot be read or does not hold these weights.
    """
    try:
        content = read_torch_file(weights)
    except OSError as error:
        raise CowganError(
            f"{weights} could not be read: {error.strerror or error}.", repr(error)
        ) from error
    state = content.get("state_dict", content) if isinstance(content, dict) else {}
    named = state.items() if isinstance(state, dict) else ()
    tensors = {
        name.removeprefix("module."): value
        for name, value in named
        if isinstance(name, str) and is_weight(value)
    }
    tensors = {name: value for name, value in tensors.items() if not name.startswith(unused)}
    with torch.device("meta"):
        network = build()
    if not tensors.keys() & network.state_dict().keys():
        raise CowganError(f"{weights.name} does not hold weights of {what}.")
    fill(network, tensors, what)
    # Twice as fast on CPUs.
    for parameter in network.parameters():
        if parameter.ndim in _FAST_LAYOUTS:
            layout = _FAST_LAYOUTS[parameter.ndim]
            parameter.data = parameter.data.contiguous(memory_format=layout)
    return network.requires_grad_(False).eval()


def minmax_scaled(volume: Volume) -> NDArray[np.float32]:
    """Return intensities scaled to [0, 1] by their extremes, with axes (x, y, z).

    Computed in double precision and rounded to 32 bits, like the files that Aydin et al. 2024
    read their features from, and in the order of axes of these files.

    Raises
    ------
    CowganError
        All voxels have the same value.
    """
    data = volume.data.transpose(1, 2, 0).astype(np.float64)
    low, high = data.min(), data.max()
    if not high > low:
        raise CowganError("All voxels of the volume have the same value.")
    return np.asarray((data - low) / (high - low), np.float32)
