"""The published 3D StyleGAN2: mapping, synthesis and discriminator networks."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cowgan.networks.architecture import PRESETS, NetworkConfig

if TYPE_CHECKING:
    from cowgan.networks.discriminator import Discriminator
    from cowgan.networks.initialisation import initialise
    from cowgan.networks.mapping_network import MappingNetwork
    from cowgan.networks.synthesis_network import SynthesisNetwork

__all__ = [
    "PRESETS",
    "Discriminator",
    "MappingNetwork",
    "NetworkConfig",
    "SynthesisNetwork",
    "initialise",
]

_MODULES = {
    "Discriminator": "discriminator",
    "MappingNetwork": "mapping_network",
    "SynthesisNetwork": "synthesis_network",
    "initialise": "initialisation",
}


def __getattr__(name: str) -> Any:
    # Only the networks need torch, not their config.
    if name in _MODULES:
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
