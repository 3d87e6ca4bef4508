"""Random initial weights of the networks."""

import torch
from torch import nn

from cowgan.networks.discriminator import Discriminator
from cowgan.networks.layers import ModulatedConv3d, ScaledLinear
from cowgan.networks.mapping_network import MappingNetwork
from cowgan.networks.synthesis_network import SynthesisBlock, SynthesisNetwork, ToGrayscale

ROTATION_MEAN = 4.0
"""Mean of w along each axis in a mapping network that starts as a rotation: four standard
deviations from the kink of the leaky ReLU."""


def initialise(
    network: MappingNetwork | SynthesisNetwork | Discriminator, generator: torch.Generator
) -> None:
    """Fill `network` with the published initial distribution, drawn from `generator`.

    Convolutions and linear layers follow He et al. 2015 (fan-in), mapping weights and the
    learned constant a standard normal, noise gains start at zero.
    """
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, ScaledLinear):
                module.weight.normal_(generator=generator)
                module.bias.zero_()
            elif isinstance(module, nn.Linear | nn.Conv3d | ModulatedConv3d):
                nn.init.kaiming_normal_(module.weight, generator=generator)
                bias = getattr(module, "bias", None)
                if bias is not None:
                    fan_in = module.weight[0].numel()
                    bias.uniform_(-(fan_in**-0.5), fan_in**-0.5, generator=generator)
        for module in network.modules():
            if isinstance(module, SynthesisBlock):
                for to_noise in (module.to_noise1, module.to_noise2):
                    to_noise.weight.zero_()
                    to_noise.bias.zero_()
        if isinstance(network, SynthesisNetwork):
            network.initial_block.normal_(generator=generator)


def initialise_as_rotation(mapping: MappingNetwork, generator: torch.Generator) -> None:
    """Initialise a mapping network as a random rotation.

    With the published initial distribution w varies along few directions, and training does
    not recover the others. Here each layer is a random orthogonal matrix whose bias keeps
    it in the linear part of its leaky ReLU. w has the mean `ROTATION_MEAN` along each axis and,
    for normally distributed z, unit variance about it.
    """
    layers = [layer for layer in mapping.net if isinstance(layer, ScaledLinear)]
    with torch.no_grad():
        before = 0.0
        for layer in layers:
            size = layer.in_features
            last = layer is layers[-1]
            # Entries of a vector of unit length deviate by size ** -0.5.
            gain, offset = (size**0.5, ROTATION_MEAN) if last else (1.0, 1.0)
            normal = torch.randn(size, size, generator=generator)
            rotation = gain * torch.linalg.qr(normal).Q
            layer.weight.copy_(rotation / layer.multiplier)
            layer.bias.copy_((offset - before * rotation.sum(1)) / layer.multiplier)
            before = offset


def initialise_for_rotation(
    synthesis: SynthesisNetwork, deviation: float, generator: torch.Generator
) -> None:
    """Adapt a synthesis network, drawn by `initialise`, to w of unit variance about 0.

    Styles have the standard deviation `deviation`, and grey outputs start dark.
    """
    with torch.no_grad():
        for name, layer in synthesis.named_modules():
            if isinstance(layer, nn.Linear) and "to_style" in name:
                scale = deviation * layer.in_features**-0.5
                layer.weight.normal_(generator=generator).mul_(scale)
                layer.bias.zero_()
            elif isinstance(layer, ToGrayscale):
                layer.conv.weight.zero_()
