"""A discriminator that no published weights bind."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from cowgan.networks import Discriminator, NetworkConfig, initialise
from cowgan.networks.layers import LEAK, Blur3d, Conv3d
from cowgan.training.config import TrainingConfig

_GROUP = 4
_GAIN = math.sqrt(2 / (1 + LEAK**2))


class EqualisedConv3d(Conv3d):
    """Convolution whose weights are scaled as it runs, so that all learn equally fast.

    Karras et al., "Progressive Growing of GANs", ICLR 2018, section 4.1.
    """

    def __init__(self, in_channels: int, channels: int, kernel: int, gain: float = _GAIN) -> None:
        super().__init__(in_channels, channels, kernel, padding=kernel // 2)
        self.multiplier = gain / math.sqrt(in_channels * kernel**3)

    def _conv_forward(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        return super()._conv_forward(x, weight * self.multiplier, bias)


class EqualisedLinear(nn.Linear):
    """Fully connected layer with weights scaled as in `EqualisedConv3d`."""

    def __init__(self, in_features: int, out_features: int, gain: float = _GAIN) -> None:
        super().__init__(in_features, out_features)
        self.multiplier = gain / math.sqrt(in_features)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_features) to (N, out_features)."""
        return functional.linear(x, self.weight * self.multiplier, self.bias)


class MinibatchDeviation(nn.Module):
    """Adds a channel that tells how much the volumes of a group differ.

    Karras et al. 2018, section 3; groups of up to four volumes.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, d, h, w) to (N, C + 1, d, h, w)."""
        n = len(x)
        group = math.gcd(n, _GROUP)
        grouped = x.float().view(group, n // group, *x.shape[1:])
        deviation = (grouped.var(0, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3, 4))
        channel = deviation.repeat(group).view(n, 1, 1, 1, 1).expand(-1, 1, *x.shape[2:])
        return torch.cat([x, channel.to(x.dtype)], 1)


class ModernBlock(nn.Module):
    """Residual block that halves the resolution along the axes it is told."""

    def __init__(self, in_channels: int, channels: int, halved: tuple[int, int, int]) -> None:
        super().__init__()
        self.skip = EqualisedConv3d(in_channels, channels, 1, gain=1.0)
        self.first = EqualisedConv3d(in_channels, in_channels, 3)
        self.second = EqualisedConv3d(in_channels, channels, 3)
        self.halve = Blur3d(halved)

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, d, h, w) to (N, channels, ...)."""
        y = functional.leaky_relu(self.first(x), LEAK)
        y = functional.leaky_relu(self.second(self.halve(y)), LEAK)
        return (y + self.skip(self.halve(x))) / math.sqrt(2)


class ModernDiscriminator(nn.Module):
    """Residual discriminator after StyleGAN2; a lower logit means more real."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        channels = config.discriminator_channels[: config.n_blocks]
        halvings = config.depth.bit_length() - 3
        self.from_grey = EqualisedConv3d(1, channels[0], 1)
        wider = [*channels[1:], channels[-1]]
        self.blocks = nn.ModuleList(
            ModernBlock(before, after, (2, 2, 2) if i < halvings else (1, 2, 2))
            for i, (before, after) in enumerate(zip(channels[:-1], wider, strict=False))
        )
        last = channels[-1]
        self.deviation = MinibatchDeviation()
        self.final = EqualisedConv3d(last + 1, last, 3)
        self.hidden = EqualisedLinear(last * 4**3, last)
        self.to_logit = EqualisedLinear(last, 1, gain=1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Map volumes (N, 1, depth, image_size, image_size) to logits (N,)."""
        x = functional.leaky_relu(self.from_grey(x), LEAK)
        for block in self.blocks:
            x = block(x)
        x = functional.leaky_relu(self.final(self.deviation(x)), LEAK)
        x = functional.leaky_relu(self.hidden(x.flatten(1)), LEAK)
        logits: Tensor = self.to_logit(x)
        return logits[:, 0]


def make_discriminator(config: TrainingConfig, generator: torch.Generator) -> nn.Module:
    """Return the discriminator that a config asks for, with random weights."""
    if config.discriminator == "published":
        published = Discriminator(config.network)
        initialise(published, generator)
        return published
    if config.discriminator == "projected":
        # Loads a pretrained network, which the others do without.
        from cowgan.training.projected_discriminator import ProjectedDiscriminator

        network = config.network
        return ProjectedDiscriminator(network.depth, network.image_size, generator)
    modern = ModernDiscriminator(config.network)
    with torch.no_grad():
        for module in modern.modules():
            if isinstance(module, EqualisedConv3d | EqualisedLinear):
                module.weight.normal_(generator=generator)
                if module.bias is not None:
                    module.bias.zero_()
    return modern
