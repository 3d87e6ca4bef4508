"""The published 3D StyleGAN2 discriminator."""

import math

import torch
from torch import Tensor, nn

from cowgan.networks.architecture import NetworkConfig
from cowgan.networks.layers import LEAK, Blur3d, Conv3d


class DiscriminatorBlock(nn.Module):
    """Residual block that halves the resolution, except the last one."""

    def __init__(
        self, in_channels: int, channels: int, stride: tuple[int, int, int], last: bool
    ) -> None:
        super().__init__()
        # In the last block the residual strides although the main path does not, and the
        # sum broadcasts. Published weights were trained with this, so it stays.
        self.conv_res = Conv3d(in_channels, channels, 1, stride=stride)
        self.net = nn.Sequential(
            Conv3d(in_channels, channels, 3, padding=1),
            nn.LeakyReLU(LEAK),
            Conv3d(channels, channels, 3, padding=1),
            nn.LeakyReLU(LEAK),
        )
        self.downsample = (
            nn.Identity()
            if last
            else nn.Sequential(Blur3d(), Conv3d(channels, channels, 3, stride, padding=1))
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, in_channels, d, h, w) to (N, channels, ...)."""
        y: Tensor = self.downsample(self.net(x)) + self.conv_res(x)
        return y / math.sqrt(2)


class Discriminator(nn.Module):
    """The published discriminator; a lower logit means more real."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        channels = config.discriminator_channels
        n = len(channels)
        halvings = config.depth.bit_length() - 2
        self.blocks = nn.ModuleList(
            DiscriminatorBlock(
                before,
                after,
                stride=(2, 2, 2) if i < halvings else (1, 2, 2),
                last=i == n - 1,
            )
            for i, (before, after) in enumerate(zip((1, *channels[:-1]), channels, strict=True))
        )
        self.final_conv = Conv3d(channels[-1], channels[-1], 3, padding=1)
        self.to_logit = nn.Linear(channels[-1] * 2**3, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Judge volumes.

        Parameters
        ----------
        x : Tensor
            Shape (N, 1, depth, image_size, image_size).

        Returns
        -------
        Tensor
            Logits, shape (N,).
        """
        logits: Tensor = self.to_logit(self.last_hidden(x))
        return logits[:, 0]

    def last_hidden(self, x: Tensor) -> Tensor:
        """Map volumes to the last hidden layer, of which the logit is a linear function.

        Returns
        -------
        Tensor
            Shape (N, channels * 2**3).
        """
        for block in self.blocks:
            x = block(x)
        return torch.flatten(self.final_conv(x), 1)
