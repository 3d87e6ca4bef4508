"""The published 3D StyleGAN2: mapping, synthesis and discriminator networks."""

from cowgan.networks.config import PRESETS, NetworkConfig
from cowgan.networks.discriminator import Discriminator
from cowgan.networks.initialisation import initialise
from cowgan.networks.mapping import MappingNetwork
from cowgan.networks.synthesis import SynthesisNetwork

__all__ = [
    "PRESETS",
    "Discriminator",
    "MappingNetwork",
    "NetworkConfig",
    "SynthesisNetwork",
    "initialise",
]
