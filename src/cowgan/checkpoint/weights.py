"""Networks from untrusted named tensors."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import torch
from torch import Tensor, nn

from cowgan.errors import CowganError
from cowgan.networks import NetworkConfig

NetworkT = TypeVar("NetworkT", bound=nn.Module)


def fill(network: nn.Module, tensors: Mapping[str, Tensor], what: str) -> None:
    """Load `tensors` into `network` after checking every name, shape and type.

    Parameters
    ----------
    network : Module
        May be on the meta device; receives copies of the weights in float32 on the CPU.
    tensors : mapping of str to Tensor
        Exactly the network's parameters.
    what : str
        Name of the network in errors, such as "mapping network".

    Raises
    ------
    CowganError
        Tensors are missing, superfluous, of another shape, not floating point, or not
        finite.
    """
    expected = network.state_dict()
    missing = sorted(expected.keys() - tensors.keys())
    extra = sorted(tensors.keys() - expected.keys())
    if missing or extra:
        raise CowganError(
            f"The {what} in this file lacks {len(missing)} tensors and has {len(extra)} that do "
            "not belong to it, so it is damaged or of another architecture.",
            f"missing: {missing[:20]}; unknown: {extra[:20]}",
        )
    for name, parameter in expected.items():
        if tensors[name].shape != parameter.shape:
            raise CowganError(
                f"The {what} in this file has tensors of another size than its architecture "
                "needs, so it is damaged or of another architecture.",
                f"{name}: {tuple(tensors[name].shape)} instead of {tuple(parameter.shape)}",
            )
        if not tensors[name].is_floating_point():
            raise CowganError(
                f"The {what} in this file does not hold floating-point weights.",
                f"{name}: {tensors[name].dtype}",
            )
    weights = {
        name: tensors[name].detach().to(torch.float32, copy=True).contiguous() for name in expected
    }
    for name, weight in weights.items():
        if not weight.isfinite().all():
            raise CowganError(
                f"The {what} in this file holds infinite or undefined weights, so its training "
                "failed or the file is damaged.",
                name,
            )
    network.load_state_dict(weights, assign=True)


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
