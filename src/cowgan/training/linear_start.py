"""Initial weights that make the generator a linear function of anatomical components.

Two channels of the coarse blocks carry an image from layer to layer: its bright and its dark
part, so that their difference passes the leaky ReLU undistorted. Each layer adds patterns to it,
weighted by its styles. The constant and the convolutions are fitted so that the patterns span
the effects of the components on a volume, which takes a minute. From the first step on, latents
are these components, and finer blocks receive a blurred anatomy to add details to.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from cowgan.errors import CowganError
from cowgan.networks import SynthesisNetwork
from cowgan.networks.layers import LEAK, ModulatedConv3d, resize
from cowgan.networks.synthesis_network import SynthesisBlock
from cowgan.progress import Progress, Silent, advance
from cowgan.training.anatomical_components import AnatomicalComponents, averaged
from cowgan.training.config import COARSE, FEWEST_CHANNELS, can_start_linearly
from cowgan.training.generator import Generator
from cowgan.training.step_inputs import TrainingVolumes, batches
from cowgan.training.trainer import Trainer

_RIDGE = 0.1
"""Ridge of the activations' normalised Gram matrix. Without it, large coefficients would cancel
each other and be lost in the first steps of training."""

_FIT_STEPS = 200
_FIT_RATE = 2e-3
_MEAN_SHARE = 0.5

_CARRYING = 2
_MAX_PATTERN_POWER = 0.25
"""Largest fraction of a layer's power in patterns. With more, demodulation, which depends on the
styles, would change the image's contrast from latent to latent."""

_PLAIN_GAIN = (1 + LEAK) * 0.5**0.5
"""Gain on the image of a layer that adds no pattern."""


@dataclass(frozen=True)
class Effects:
    """Linear effects of components on the grey levels of a volume.

    Parameters
    ----------
    mean : Tensor
        Mean volume, shape (voxels,).
    slopes : Tensor
        Change with each component, shape (components, voxels).
    """

    mean: Tensor
    slopes: Tensor


def start_linearly(trainer: Trainer, progress: Progress | None = None) -> None:
    """Fit components to the training volumes, and the generator to the components.

    Parameters
    ----------
    trainer : Trainer
        At step 0, of a config whose start is "linear".
    progress : Progress, optional
        Reports the steps of the fit.

    Raises
    ------
    CowganError
        All volumes are alike, or the network is too narrow.
    Cancelled
        The user cancelled.
    """
    generator, components = trainer.generator, trainer.components
    assert components is not None
    if not can_start_linearly(trainer.config.network):
        raise CowganError(
            f"A linear start needs at least {FEWEST_CHANNELS} channels in each block of up to "
            f"{COARSE} columns; raise the network's capacity, or choose the published start."
        )
    # On the CPU, so that all processes of a run start from the same weights.
    generator.cpu()
    layers = _layers(generator.coarse_blocks())
    fit_components(components, trainer.volumes)
    effects = measure_effects(trainer.volumes, components, layers[-1].block.shape)
    if not effects.slopes.any():
        raise CowganError(
            "All volumes of the bank are alike, so latents cannot stand for anatomies; "
            'use more volumes, or set start to "published".'
        )
    _fit(generator, layers, effects, progress or Silent())
    _carry(generator, layers, effects)
    generator.to(trainer.device)
    components.to(trainer.device)
    trainer.ema.load_state_dict(generator.state_dict())


def fit_components(components: AnatomicalComponents, volumes: TrainingVolumes) -> None:
    """Fit components to all volumes; moves them to the CPU."""
    components.cpu()
    components.fit(batches(volumes))


@torch.no_grad()
def measure_effects(
    volumes: TrainingVolumes, components: AnatomicalComponents, shape: tuple[int, int, int]
) -> Effects:
    """Regress the grey levels of volumes and their mirror images on their components.

    Parameters
    ----------
    volumes : TrainingVolumes
        Training volumes.
    components : AnatomicalComponents
        Fitted components.
    shape : tuple of int
        Voxels (z, x, y) that volumes are averaged to.
    """
    moments = torch.zeros(components.count + 1, components.count + 1)
    products = torch.zeros(components.count + 1, math.prod(shape))
    for batch in batches(volumes):
        for side in (batch, batch.flip(3)):
            described = components(side)
            with_one = torch.cat([torch.ones_like(described[:, :1]), described], 1)
            moments += with_one.T @ with_one
            products += with_one.T @ averaged(side, max(shape)).flatten(1)
    # Components beyond the rank of the data are zero.
    floor = 1e-6 * moments[0, 0] * torch.eye(len(moments))
    solved = torch.linalg.solve(moments + floor, products)
    return Effects(solved[0], solved[1:])


@dataclass(frozen=True)
class _Layer:
    """A coarse convolution, and the roles of its input channels.

    Parameters
    ----------
    block : SynthesisBlock
        Its block.
    conv, to_style : nn.Module
        The convolution, and the source of its styles.
    read : slice
        Channels with patterns that the layer adds to the image, weighted by its styles.
    passed : slice
        Channels from which it makes the patterns of later layers; none in the last.
    """

    block: SynthesisBlock
    conv: ModulatedConv3d
    to_style: nn.Linear
    read: slice
    passed: slice


def _layers(blocks: list[SynthesisBlock]) -> list[_Layer]:
    convolutions = [
        (block, conv, to_style)
        for block in blocks
        for conv, to_style in ((block.conv1, block.to_style1), (block.conv2, block.to_style2))
    ]
    layers = []
    for block, conv, to_style in convolutions:
        count = conv.weight.shape[1]
        end = count if conv is blocks[-1].conv2 else (count + _CARRYING) // 2
        layers.append(_Layer(block, conv, to_style, slice(_CARRYING, end), slice(end, count)))
    return layers


def _fit(generator: Generator, layers: list[_Layer], effects: Effects, progress: Progress) -> None:
    """Fit the weights that do not depend on latents, so that patterns span the effects."""
    synthesis = generator.synthesis
    with torch.no_grad():
        for layer in layers:
            layer.to_style.weight.zero_()
            # The convolution scales by style + 1, so that it sees only the passed channels.
            layer.to_style.bias.fill_(-1)
            layer.to_style.bias[layer.passed] = 0
    trainable = [synthesis.initial_block, *synthesis.initial_conv.parameters()]
    trainable += [layer.conv.weight for layer in layers[:-1]]
    adam = torch.optim.Adam(trainable, _FIT_RATE, (0.9, 0.99))
    energy = effects.slopes.square().sum()
    mean = effects.mean * (_MEAN_SHARE * energy / effects.mean.square().sum()).sqrt()
    wanted = torch.cat([mean[None], effects.slopes])
    for step in range(_FIT_STEPS):
        advance(progress, step, _FIT_STEPS, "Fitting initial weights")
        rows = torch.cat(_patterns(synthesis, layers))
        left = 1 - _spanned(rows, wanted) / wanted.square().sum()
        adam.zero_grad(set_to_none=True)
        left.backward()
        adam.step()
    adam.zero_grad(set_to_none=True)


def _patterns(synthesis: SynthesisNetwork, layers: list[_Layer]) -> list[Tensor]:
    """Return the patterns of each layer as rows, enlarged to the finest block."""
    x, found = synthesis.start(1), []
    for place, layer in enumerate(layers):
        x = resize(x, layer.block.shape)
        pattern = x[:, layer.read]
        for later in layers[place:]:
            pattern = resize(pattern, later.block.shape)
        found.append(pattern[0].flatten(1))
        if layer is not layers[-1]:
            x = functional.leaky_relu(layer.conv(x, layer.to_style.bias[None]), LEAK)
    return found


def _spanned(rows: Tensor, wanted: Tensor) -> Tensor:
    """Return the part of the sum of squares of `wanted` in the span of rows."""
    unit = rows / rows.norm(dim=1, keepdim=True)
    along = unit @ wanted.T
    return (along * torch.linalg.solve(_gram(unit), along)).sum()


def _gram(unit: Tensor) -> Tensor:
    return unit @ unit.T + _RIDGE * torch.eye(len(unit))


@torch.no_grad()
def _carry(generator: Generator, layers: list[_Layer], effects: Effects) -> None:
    """Make each layer add its patterns, so that the image is linear in the latents."""
    patterns = _patterns(generator.synthesis, layers)
    rows = torch.cat(patterns)
    length = rows.norm(dim=1, keepdim=True)
    unit = rows / length
    wanted = torch.cat([effects.mean[None], effects.slopes])
    solved = torch.linalg.solve(_gram(unit), unit @ wanted.T) / length
    parts = solved.split([len(pattern) for pattern in patterns])
    axes = generator.latent_axes()[: len(effects.slopes)]
    signs = torch.tensor([1.0, -1.0])
    scale, gain = _scale(parts), 1.0
    for layer, part in zip(reversed(layers), reversed(parts), strict=True):
        # Demodulation makes the squared weights, times squared styles, add up to 1.
        read = part * (scale / gain)
        left = 1 - float(read.square().sum())
        gain *= _PLAIN_GAIN * left**0.5
        # Over the latents, styles have a mean square of 1.
        share = read.norm(dim=1, keepdim=True).clamp(min=1e-12)
        styles = read / share
        layer.to_style.weight[layer.read] = styles[:, 1:] @ axes
        layer.to_style.bias[layer.read] = styles[:, 0] - 1
        layer.to_style.bias[:_CARRYING] = 0
        weights = torch.zeros(layer.conv.weight.shape[1])
        weights[:_CARRYING] = signs * 0.5**0.5
        weights[layer.read] = share[:, 0] / left**0.5
        if layer is layers[-1]:
            # Finer blocks also receive the image, through random filters.
            filters = layer.conv.weight[:, 0]
            filters /= filters.flatten(1).norm(dim=1)[:, None, None, None]
            layer.conv.weight.copy_(filters[:, None] * weights[:, None, None, None])
        else:
            layer.conv.weight[:, : layer.passed.start] = 0
        layer.conv.weight[:_CARRYING] = 0
        layer.conv.weight[:_CARRYING, :, 1, 1, 1] = signs[:, None] * weights
    constant = generator.synthesis.initial_conv
    for own in constant.parameters():
        own[:_CARRYING] = 0
    output = layers[-1].block.to_grayscale
    output.to_style.weight[:_CARRYING] = 0
    output.conv.weight[0, :_CARRYING, 0, 0, 0] = signs / ((1 + LEAK) * scale)


def _scale(parts: tuple[Tensor, ...]) -> float:
    """Return the largest scale of the image at which no layer exceeds `_MAX_PATTERN_POWER`."""
    least_gain = _PLAIN_GAIN * (1 - _MAX_PATTERN_POWER) ** 0.5
    return min(
        (_MAX_PATTERN_POWER / max(float(part.square().sum()), 1e-12)) ** 0.5 * least_gain**later
        for later, part in enumerate(reversed(parts))
    )
