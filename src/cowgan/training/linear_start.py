"""First weights with which a generator already knows the anatomies of a bank, blurred.

The grey outputs of the coarse blocks read activations linearly. Fitting constant and
convolutions so that the activations span what anatomical components do to a volume, and
letting the styles of the grey outputs weight them, takes a minute and gives a generator
whose latents are these components from the first step on.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cowgan.errors import CowganError
from cowgan.networks import SynthesisNetwork
from cowgan.networks.layers import resize
from cowgan.networks.synthesis import SynthesisBlock
from cowgan.progress import Progress, Silent, advance
from cowgan.training.components import AnatomicalComponents, averaged
from cowgan.training.trainer import Generator, Trainer, TrainingVolumes

_RIDGE = 0.1
"""Of the activations' normalised Gram matrix. Without it large coefficients would cancel each
other, and the first steps of training would tear them apart."""

_FIT_STEPS = 200
_FIT_RATE = 2e-3
_MEAN_SHARE = 0.5
_READ_TOGETHER = 16


@dataclass(frozen=True)
class Effects:
    """What components do to the grey levels of a volume, linearly.

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
        Told of the fit's steps.

    Raises
    ------
    CowganError
        The volumes do not differ.
    Cancelled
        The person stopped.
    """
    generator, components = trainer.generator, trainer.components
    assert components is not None
    # On the CPU, so that all processes of a run begin with the same weights.
    generator.cpu()
    components.cpu()
    components.fit(_batches(trainer.volumes))
    blocks = generator.coarse_blocks()
    effects = measure_effects(trainer.volumes, components, blocks[-1].shape)
    if not effects.slopes.any():
        raise CowganError(
            "All volumes of the bank are alike, so there is nothing that latents could stand for; "
            'use more volumes, or set start to "published".'
        )
    _fit(generator, blocks, effects, progress or Silent())
    generator.to(trainer.device)
    components.to(trainer.device)
    trainer.average.load_state_dict(generator.state_dict())


@torch.no_grad()
def measure_effects(
    volumes: TrainingVolumes, components: AnatomicalComponents, shape: tuple[int, int, int]
) -> Effects:
    """Regress the grey levels of volumes and their mirror images on their components.

    Parameters
    ----------
    volumes : TrainingVolumes
        What to look at.
    components : AnatomicalComponents
        Fitted.
    shape : tuple of int
        Voxels (z, x, y) that volumes are averaged to.
    """
    moments = torch.zeros(components.count + 1, components.count + 1)
    products = torch.zeros(components.count + 1, math.prod(shape))
    for batch in _batches(volumes):
        for side in (batch, batch.flip(3)):
            described = components(side)
            with_one = torch.cat([torch.ones_like(described[:, :1]), described], 1)
            moments += with_one.T @ with_one
            products += with_one.T @ averaged(side, max(shape)).flatten(1)
    # Components that the data do not have are zero throughout.
    floor = 1e-6 * moments[0, 0] * torch.eye(len(moments))
    solved = torch.linalg.solve(moments + floor, products)
    return Effects(solved[0], solved[1:])


def _batches(volumes: TrainingVolumes) -> Iterator[Tensor]:
    for first in range(0, len(volumes), _READ_TOGETHER):
        places = range(first, min(first + _READ_TOGETHER, len(volumes)))
        yield torch.from_numpy(volumes.read(list(places)))


def _fit(
    generator: Generator, blocks: list[SynthesisBlock], effects: Effects, progress: Progress
) -> None:
    synthesis = generator.synthesis
    for block in blocks:
        for layer in (block.to_style1, block.to_style2):
            nn.init.zeros_(layer.weight)
    learning = [synthesis.initial_block, *synthesis.initial_conv.parameters()]
    learning += [conv.weight for block in blocks for conv in (block.conv1, block.conv2)]
    adam = torch.optim.Adam(learning, _FIT_RATE, (0.9, 0.99))
    energy = effects.slopes.square().sum()
    mean = effects.mean * (_MEAN_SHARE * energy / effects.mean.square().sum()).sqrt()
    wanted = torch.cat([mean[None], effects.slopes])
    for step in range(_FIT_STEPS):
        advance(progress, step, _FIT_STEPS, "Fitting first weights")
        left = 1 - _spanned(_activations(synthesis, blocks), wanted) / wanted.square().sum()
        adam.zero_grad(set_to_none=True)
        left.backward()
        adam.step()
    adam.zero_grad(set_to_none=True)
    _read_out(generator, blocks, effects)


def _activations(synthesis: SynthesisNetwork, blocks: list[SynthesisBlock]) -> Tensor:
    """Return what one unit of each channel adds to the finest of the grey volumes, as rows."""
    x = synthesis.start(1)
    w = x.new_zeros(1, synthesis.config.latent_dim)
    images: list[Tensor] = []
    for block in blocks:
        x, _ = block(x, w, None)
        images = [*(synthesis.blur(resize(image, block.shape)) for image in images), x]
    return torch.cat(images, 1)[0].flatten(1)


def _spanned(rows: Tensor, wanted: Tensor) -> Tensor:
    """Return how much of the squares of `wanted` combinations of rows can reach."""
    unit = rows / rows.norm(dim=1, keepdim=True)
    along = unit @ wanted.T
    return (along * torch.linalg.solve(_gram(unit), along)).sum()


def _gram(unit: Tensor) -> Tensor:
    return unit @ unit.T + _RIDGE * torch.eye(len(unit))


@torch.no_grad()
def _read_out(generator: Generator, blocks: list[SynthesisBlock], effects: Effects) -> None:
    """Set the grey outputs so that volumes are linear in the latents."""
    rows = _activations(generator.synthesis, blocks)
    length = rows.norm(dim=1, keepdim=True)
    unit = rows / length
    wanted = torch.cat([effects.mean[None], effects.slopes])
    solved = torch.linalg.solve(_gram(unit), unit @ wanted.T) / length
    axes = generator.latent_axes()
    for block, own in zip(blocks, solved.split([len(b.conv2.weight) for b in blocks]), strict=True):
        gain = own[:, 1:].square().mean(1).mean().sqrt() * math.sqrt(effects.slopes.shape[0])
        output = block.to_grayscale
        output.conv.weight.fill_(gain)
        output.to_style.weight.copy_(own[:, 1:] / gain @ axes[: len(effects.slopes)])
        # The convolution scales by style + 1.
        output.to_style.bias.copy_(own[:, 0] / gain - 1)
