"""The synthesis network, from w to a volume."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from cowgan.networks.architecture import CONSTANT_SIZE, NetworkConfig
from cowgan.networks.layers import LEAK, Blur3d, ModulatedConv3d, add_noise, resize

NOISE_MEAN = 0.5
"""Mean of the uniform noise in [0, 1) that the network was trained with."""


class ToGrayscale(nn.Module):
    """Modulated 1 x 1 x 1 convolution from a block's activations to its grey output."""

    def __init__(self, latent_dim: int, channels: int) -> None:
        super().__init__()
        self.to_style = nn.Linear(latent_dim, channels)
        self.conv = ModulatedConv3d(channels, 1, 1, demodulate=False)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """Map (N, channels, d, h, w) to (N, 1, d, h, w)."""
        y: Tensor = self.conv(x, self.to_style(w))
        return y


class SynthesisBlock(nn.Module):
    """Two modulated convolutions at one resolution and their grey output."""

    def __init__(
        self, latent_dim: int, in_channels: int, channels: int, shape: tuple[int, int, int]
    ) -> None:
        super().__init__()
        self.shape = shape
        self.to_style1 = nn.Linear(latent_dim, in_channels)
        self.to_noise1 = nn.Linear(1, channels)
        self.conv1 = ModulatedConv3d(in_channels, channels, 3)
        self.to_style2 = nn.Linear(latent_dim, channels)
        self.to_noise2 = nn.Linear(1, channels)
        self.conv2 = ModulatedConv3d(channels, channels, 3)
        self.to_grayscale = ToGrayscale(latent_dim, channels)

    def forward(self, x: Tensor, w: Tensor, noise: Tensor | None) -> tuple[Tensor, Tensor]:
        """Run the block.

        Parameters
        ----------
        x : Tensor
            Activations of the previous block, (N, in_channels, ...); they are resized to
            this block's shape first.
        w : Tensor
            Style, shape (N, latent_dim).
        noise : Tensor or None
            Noise whose corner this block uses, (N, >= d, >= h, >= w); None stands for the
            noise mean everywhere.

        Returns
        -------
        activations : Tensor
            Shape (N, channels, d, h, w).
        contribution : Tensor
            Grey output of the block, added to those of coarser ones, (N, 1, d, h, w).
        """
        if noise is not None:
            d, h, width = self.shape
            noise = noise[:, :d, :h, :width]
        x = resize(x, self.shape)
        x = _layer(x, self.conv1, self.to_style1(w), self.to_noise1, noise)
        x = _layer(x, self.conv2, self.to_style2(w), self.to_noise2, noise)
        return x, self.to_grayscale(x, w)


def _layer(
    x: Tensor, conv: nn.Module, style: Tensor, to_noise: nn.Linear, noise: Tensor | None
) -> Tensor:
    gain = to_noise.weight[:, 0]
    if noise is None:
        y = conv(x, style, to_noise.bias + NOISE_MEAN * gain)
    else:
        y = add_noise(conv(x, style, to_noise.bias), noise, gain)
    return functional.leaky_relu(y, LEAK, inplace=not torch.is_grad_enabled())


class SynthesisNetwork(nn.Module):
    """The synthesis network, from one style per block to a volume."""

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        channels = config.synthesis_channels
        first = channels[0]
        self.initial_block = nn.Parameter(torch.empty(1, first, *[CONSTANT_SIZE] * 3))
        self.initial_conv = nn.Conv3d(first, first, 3, padding=1)
        self.blocks = nn.ModuleList(
            SynthesisBlock(config.latent_dim, before, after, config.block_shape(i))
            for i, (before, after) in enumerate(zip((first, *channels[:-1]), channels, strict=True))
        )
        self.blur = Blur3d()

    def freeze(self, dtype: torch.dtype) -> "SynthesisNetwork":
        """Prepare for inference with convolutions in `dtype`; styles stay in float32."""
        self.requires_grad_(False)
        for module in self.modules():
            if isinstance(module, ModulatedConv3d):
                module.freeze(dtype)
        self.initial_conv.to(dtype)
        self.initial_block.data = self.initial_block.data.to(dtype)
        return self

    def start(self, n: int) -> Tensor:
        """Return the activations that block 0 receives, (n, channels, 4, 4, 4)."""
        x: Tensor = self.initial_conv(self.initial_block.expand(n, -1, -1, -1, -1))
        return x.contiguous(memory_format=torch.channels_last_3d)

    def run_block(
        self, block: int, x: Tensor, image: Tensor | None, w: Tensor, noise: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Run one block on the activations and the grey volume of the blocks before it.

        Parameters
        ----------
        block : int
            Index of the block, 0 the coarsest.
        x : Tensor
            Activations of the block before, or `start`'s result.
        image : Tensor or None
            Grey volume of the block before, (N, 1, d', h', w'); None for block 0.
        w : Tensor
            Style of this block, (N, latent_dim).
        noise : Tensor or None
            See `SynthesisBlock.forward`.

        Returns
        -------
        activations, image : Tensor
            This block's activations, and the grey volume up to it in float32 at this
            block's resolution.
        """
        module = cast(SynthesisBlock, self.blocks[block])
        x, contribution = module(x, w, noise)
        if image is None:
            return x, contribution.float()
        # The reference also upsamples and blurs when a block does not change the shape
        # in depth, so the blur must run even where resizing is the identity.
        return x, self.blur(resize(image, module.shape)) + contribution.float()

    def forward(self, ws: Tensor, noise: Tensor | None = None) -> Tensor:
        """Synthesise volumes.

        Parameters
        ----------
        ws : Tensor
            W+ codes, shape (N, n_blocks, latent_dim), or w codes (N, latent_dim) used in
            every block.
        noise : Tensor or None
            One noise cube per sample in [0, 1), shape (N, image_size, image_size,
            image_size); each block takes the corner it needs, so only the first `depth`
            slices matter. None means no noise: the mean, 0.5, everywhere.

        Returns
        -------
        Tensor
            Volumes before clamping to [0, 1], shape (N, 1, depth, image_size, image_size).
        """
        if ws.ndim == 2:
            ws = ws[:, None].expand(-1, self.config.n_blocks, -1)
        x, image = self.start(len(ws)), None
        for block in range(self.config.n_blocks):
            x, image = self.run_block(block, x, image, ws[:, block], noise)
        assert image is not None
        return image
