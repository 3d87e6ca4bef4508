"""Networks from untrusted named tensors."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from cowgan.networks import NetworkConfig
from cowgan.torch_files import fill

NetworkT = TypeVar("NetworkT", bound=nn.Module)


def load_into(
    network_type: Callable[[NetworkConfig], NetworkT],
    config: NetworkConfig,
    tensors: Mapping[str, Tensor],
    prefix: str,
    what: str,
) -> NetworkT:
    """Build a network and `fill` it from the tensors whose names start with `prefix`."""
    with torch.device("meta"):
        network = network_type(config)
    fill(network, with_prefix(tensors, prefix), what)
    return network


def with_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Return the tensors whose names start with `prefix`, without it."""
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }
