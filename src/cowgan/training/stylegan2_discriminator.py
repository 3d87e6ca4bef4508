"""The residual discriminator of StyleGAN2, in three dimensions."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from cowgan.networks import NetworkConfig
from cowgan.networks.layers import LEAK, Blur3d, Conv3d

_GROUP = 4
_GAIN = math.sqrt(2 / (1 + LEAK**2))


class EqualisedConv3d(Conv3d):
    """Convolution with weights scaled at run time, for equal learning rates.

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
    """Append a channel with the standard deviation within each group of the batch.

    Karras et al. 2018, section 3, in groups of up to four volumes.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, d, h, w) to (N, C + 1, d, h, w)."""
        n = len(x)
        group = math.gcd(n, _GROUP)
        grouped = x.float().view(group, n // group, *x.shape[1:])
        deviation = (grouped.var(0, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3, 4))
        channel = deviation.repeat(group).view(n, 1, 1, 1, 1).expand(-1, 1, *x.shape[2:])
        return torch.cat([x, channel.to(x.dtype)], 1)


class StyleGan2Block(nn.Module):
    """Residual block that halves the resolution along given axes."""

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


class StyleGan2Discriminator(nn.Module):
    """Residual discriminator after StyleGAN2; a lower logit means more real."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        channels = config.discriminator_channels[: config.n_blocks]
        halvings = config.depth.bit_length() - 3
        self.from_grey = EqualisedConv3d(1, channels[0], 1)
        wider = [*channels[1:], channels[-1]]
        self.blocks = nn.ModuleList(
            StyleGan2Block(before, after, (2, 2, 2) if i < halvings else (1, 2, 2))
            for i, (before, after) in enumerate(zip(channels[:-1], wider, strict=False))
        )
        last = channels[-1]
        self.deviation = MinibatchDeviation()
        self.final = EqualisedConv3d(last + 1, last, 3)
        self.hidden = EqualisedLinear(last * 4**3, last)
        self.to_logit = EqualisedLinear(last, 1, gain=1.0)

    def forward(self, x: Tensor) -> Tensor:
        """Map volumes (N, 1, depth, image_size, image_size) to logits (N,)."""
        logits: Tensor = self.to_logit(self.last_hidden(x))
        return logits[:, 0]

    def last_hidden(self, x: Tensor) -> Tensor:
        """Map volumes to the last hidden layer, of which the logit is a linear function.

        Returns
        -------
        Tensor
            Shape (N, channels).
        """
        x = functional.leaky_relu(self.from_grey(x), LEAK)
        for block in self.blocks:
            x = block(x)
        x = functional.leaky_relu(self.final(self.deviation(x)), LEAK)
        return functional.leaky_relu(self.hidden(x.flatten(1)), LEAK)


def initialised_discriminator(
    config: NetworkConfig, generator: torch.Generator
) -> StyleGan2Discriminator:
    """Return a discriminator with standard normal weights and zero biases."""
    discriminator = StyleGan2Discriminator(config)
    with torch.no_grad():
        for module in discriminator.modules():
            if isinstance(module, EqualisedConv3d | EqualisedLinear):
                module.weight.normal_(generator=generator)
                if module.bias is not None:
                    module.bias.zero_()
    return discriminator
