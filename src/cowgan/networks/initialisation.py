"""Random weights for a network that has not been trained."""

import torch
from torch import nn

from cowgan.networks.discriminator import Discriminator
from cowgan.networks.layers import ModulatedConv3d, ScaledLinear
from cowgan.networks.mapping import MappingNetwork
from cowgan.networks.synthesis import SynthesisBlock, SynthesisNetwork


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
