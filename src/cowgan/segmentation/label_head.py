"""A network from a generator's own features to the labels of the volume that it makes of them."""

import math
from collections.abc import Iterable, Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from cowgan.networks import NetworkConfig
from cowgan.networks.layers import LEAK, resize

WIDTH = 16
"""Channels to which the features of a block are reduced."""

_FIRST_BLOCK = 1
"""Block 0 has 4 voxels along each axis, too few to tell arteries apart."""

Shape = tuple[int, int, int]
Window = tuple[slice, slice, slice]


class LabelHead(nn.Module):
    """Logits of classes from the activations of a generator's blocks.

    After DatasetGAN (Zhang et al., CVPR 2021), in 3D. The features of each block are reduced to a
    few channels at their own resolution and added to those of coarser blocks, which are enlarged
    only then; a 3 x 3 x 3 convolution at full resolution gives the logits. The coarsest block also
    has the place of each voxel: generated volumes lie on one grid, and few annotated ones do not
    show which feature tells left from right.

    Parameters
    ----------
    generator : NetworkConfig
        Architecture of the generator.
    classes : int
        Number of classes, background included.
    width : int
        Channels to which the features of a block are reduced.
    """

    def __init__(self, generator: NetworkConfig, classes: int, width: int = WIDTH) -> None:
        super().__init__()
        self.width = width
        blocks = range(_FIRST_BLOCK, generator.n_blocks)
        self.shapes = [generator.block_shape(block) for block in blocks]
        self.reductions = nn.ModuleList(
            _Reduction(generator.synthesis_channels[block], width) for block in blocks
        )
        self.to_logits = nn.Conv3d(width, classes, 3, padding=1)
        self.of_place = nn.Parameter(torch.randn(width, 3) / math.sqrt(3))

    def standardise(self, volumes: Iterable[Sequence[Tensor]]) -> None:
        """Scale the channels of features by their mean and spread in some volumes.

        Parameters
        ----------
        volumes : iterable of sequence of Tensor, shape (1, channels, z, x, y)
            Features of every block of each volume.
        """
        moments = [
            [
                torch.stack([each.mean((0, 2, 3, 4)) for each in (one.float(), one.float() ** 2)])
                for one in features[_FIRST_BLOCK:]
            ]
            for features in volumes
        ]
        for reduction, of_block in zip(self.reductions, zip(*moments, strict=True), strict=True):
            cast(_Reduction, reduction).standardise(*torch.stack(of_block).mean(0))

    def forward(self, features: Sequence[Tensor], window: Window | None = None) -> Tensor:
        """Return logits.

        Parameters
        ----------
        features : sequence of Tensor, shape (n, channels, z, x, y)
            Activations of every block, coarse to fine, as
            `cowgan.synthesis.Synthesizer.render_with_features` returns them.
        window : tuple of slice, optional
            Part of the volume, with start and stop; only what it depends on is computed.

        Returns
        -------
        Tensor, shape (n, classes, z, x, y)
            Of the volume or its part.
        """
        parts = _parts_behind(window or _whole(self.shapes[-1]), self.shapes)
        hidden, coarser = self._places(parts[0]), None
        for reduction, of_block, shape, part in zip(
            self.reductions, features[_FIRST_BLOCK:], self.shapes, parts, strict=True
        ):
            if coarser is not None:
                hidden = _enlarged(hidden, *coarser, shape, part)
            hidden = functional.leaky_relu(hidden + reduction(of_block[(..., *part)]), LEAK)
            coarser = shape, part
        logits: Tensor = self.to_logits(hidden)
        return logits if window is None else logits[(..., *_within(parts[-1], window))]

    def _places(self, part: Window) -> Tensor:
        """Return what the coarsest block adds for the place of its voxels, from -1 to 1."""
        axes = [
            torch.linspace(-1, 1, n, device=self.of_place.device)[one]
            for n, one in zip(self.shapes[0], part, strict=True)
        ]
        return torch.einsum(
            "wa,azxy->wzxy", self.of_place, torch.stack(torch.meshgrid(*axes, indexing="ij"))
        )[None]


class _Reduction(nn.Module):
    """A 1 x 1 x 1 convolution of standardised features."""

    mean: Tensor
    spread: Tensor

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width, channels))
        self.bias = nn.Parameter(torch.zeros(width))
        nn.init.normal_(self.weight, std=math.sqrt(1 / channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("spread", torch.ones(channels))

    def standardise(self, mean: Tensor, square: Tensor) -> None:
        """Set the mean of each channel, and its spread by the mean of its square."""
        self.mean.copy_(mean)
        self.spread.copy_((square - mean**2).clamp(min=1e-12).sqrt())

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight / self.spread
        bias = self.bias - weight @ self.mean
        return functional.conv3d(x.to(weight.dtype), weight[:, :, None, None, None], bias)


def _whole(shape: Shape) -> Window:
    z, x, y = (slice(0, n) for n in shape)
    return z, x, y


def _parts_behind(window: Window, shapes: Sequence[Shape]) -> list[Window]:
    """Return the part of each block, coarse to fine, on which the logits of a window depend."""
    finest = _grown(window, shapes[-1])
    parts = [finest]
    for shape, finer in zip(shapes[-2::-1], shapes[:0:-1], strict=True):
        z, x, y = (
            slice(one.start // factor, -(-one.stop // factor))
            for one, factor in zip(parts[0], _factors(shape, finer), strict=True)
        )
        parts.insert(0, _grown((z, x, y), shape))
    return parts


def _grown(window: Window, shape: Shape) -> Window:
    """Return a window with a margin of one voxel, as far as there is one."""
    z, x, y = (
        slice(max(0, one.start - 1), min(n, one.stop + 1))
        for one, n in zip(window, shape, strict=True)
    )
    return z, x, y


def _enlarged(
    values: Tensor, coarse: Shape, coarse_part: Window, fine: Shape, part: Window
) -> Tensor:
    """Return a part of a finer block from that of a coarser one, as if all had been enlarged."""
    factors = _factors(coarse, fine)
    z, x, y = (n * factor for n, factor in zip(values.shape[2:], factors, strict=True))
    z_part, x_part, y_part = (
        slice(one.start * factor, one.stop * factor)
        for one, factor in zip(coarse_part, factors, strict=True)
    )
    return resize(values, (z, x, y))[(..., *_within((z_part, x_part, y_part), part))]


def _within(whole: Window, part: Window) -> Window:
    """Return where a part lies in a window that contains it."""
    z, x, y = (
        slice(one.start - around.start, one.stop - around.start)
        for one, around in zip(part, whole, strict=True)
    )
    return z, x, y


def _factors(coarse: Shape, fine: Shape) -> list[int]:
    return [finer // coarser for coarser, finer in zip(coarse, fine, strict=True)]
