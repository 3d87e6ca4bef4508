"""Warm start of a network from one of smaller volumes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from cowgan.checkpoint import Checkpoint
from cowgan.errors import CowganError
from cowgan.networks import NetworkConfig
from cowgan.text import dimensions
from cowgan.training import sampling
from cowgan.training.anatomical_components import AnatomicalComponents
from cowgan.training.config import Architecture
from cowgan.training.generator import Generator
from cowgan.training.linear_start import fit_components
from cowgan.training.run_state import read_ema
from cowgan.training.state_files import part_of
from cowgan.training.trainer import Trainer

_BLOCK = re.compile(r"^blocks\.(\d+)\.")
_FAINT = 0.1
_CHECKED_VOLUMES = 16
_MAX_APPEARANCE_ERROR = 1.5
"""Just after a linear start it is about 1; volumes of unrelated latents have about 2."""

StateDict = Mapping[str, Tensor]


@dataclass(frozen=True)
class InitialWeights:
    """Weights to start a network from.

    Parameters
    ----------
    network : NetworkConfig
        Their architecture.
    mapping, synthesis : mapping of str to Tensor
        State of the EMA generator.
    discriminator : mapping of str to Tensor, or None
        State of the discriminator, if there is one.
    architecture : {"published", "modern", "projected"}
        Kind of the discriminator.
    source : str
        Their source: a file's SHA-256, or a run and its step.
    components : mapping of str to Tensor, or None
        State of the anatomical components that the latents stand for, if known.
    anchor : mapping of str to Tensor, or None
        State of the anchor to these components, if there was one.
    """

    network: NetworkConfig
    mapping: StateDict
    synthesis: StateDict
    discriminator: StateDict | None
    architecture: Architecture
    source: str
    components: StateDict | None = None
    anchor: StateDict | None = None

    @classmethod
    def of_checkpoint(cls, model: Checkpoint) -> "InitialWeights":
        """Return the weights of a model."""
        own = model.discriminator
        return cls(
            model.config,
            model.mapping.state_dict(),
            model.synthesis.state_dict(),
            None if own is None else own.state_dict(),
            "published",
            model.sha256 or "no file",
        )

    @classmethod
    def of_run(cls, folder: Path) -> "InitialWeights":
        """Return the newest weights of a run, including its discriminator.

        Raises
        ------
        CowganError
            The folder holds no valid state.
        """
        average, tensors, description = read_ema(folder)
        return cls(
            average.synthesis.config,
            average.mapping.state_dict(),
            average.published_synthesis().state_dict(),
            part_of(tensors, "discriminator/"),
            description.config["discriminator"],
            f"step {description.counters.step} of {Path(folder).resolve().name}",
            part_of(tensors, "components/") or None,
            part_of(tensors, "anchor/") or None,
        )


def grow_from(trainer: Trainer, smaller: InitialWeights) -> list[str]:
    """Copy the fitting weights of a smaller network into a trainer at step 0.

    The mapping network must fit as a whole. Synthesis blocks are numbered from the coarsest and
    discriminator blocks from the finest, so the latter are matched from their end; a
    projected discriminator has no blocks and fits as a whole. Grey outputs of new blocks start
    faint, so that the first volumes are nearly those of the smaller network, enlarged.

    Parameters
    ----------
    trainer : Trainer
        At step 0.
    smaller : InitialWeights
        Weights of at most the same image size and depth.

    Returns
    -------
    list of str
        Notes on what could not be copied.

    Raises
    ------
    CowganError
        The model is larger, its latents differ in size or meaning, or no block of its synthesis
        network fits.
    """
    new, old = trainer.config.network, smaller.network
    _check_fit(new, old)
    notes = []
    for generator in (trainer.generator, trainer.ema):
        generator.mapping.load_state_dict(smaller.mapping)
        skipped = _copy(generator.synthesis, smaller.synthesis)
        generator.from_published()
        if trainer.config.start == "published":  # A linear start makes them faint itself.
            with torch.no_grad():
                for block in list(generator.synthesis.blocks)[old.n_blocks :]:
                    block.get_parameter("to_grayscale.conv.weight").mul_(_FAINT)
    if skipped:
        names = ", ".join(f"block {number}" for number in skipped)
        notes.append(f"Channels differ, so these start from random weights: {names}.")
    if _copied_nothing(trainer.generator, smaller):
        raise CowganError(
            "No block of this model fits the new network; halve the network capacity each time "
            "the image size doubles."
        )
    if trainer.components is not None:
        _take_components(trainer, trainer.components, smaller.components)
    if trainer.anchor is not None and smaller.anchor is not None:
        trainer.anchor.load_state_dict(dict(smaller.anchor))
    if smaller.discriminator is None:
        notes.append("The model has no discriminator, so a new one is trained.")
    elif trainer.config.discriminator != smaller.architecture:
        notes.append("The model's discriminator is of another kind, so a new one is trained.")
    else:
        _copy(trainer.discriminator, smaller.discriminator, new.n_blocks - old.n_blocks)
    return notes


def _take_components(
    trainer: Trainer, components: AnatomicalComponents, state: StateDict | None
) -> None:
    """Copy the components, or fit them again and check that the volumes agree."""
    if state is not None:
        components.load_state_dict(dict(state))
        return
    fit_components(components, trainer.volumes)
    components.to(trainer.device)
    drawn = sampling.latents(trainer.config.network, 0, 0, "samples", range(_CHECKED_VOLUMES), 0.0)
    with torch.no_grad():
        found = components.appearance(trainer.ema(drawn, trainer.device).clamp(0, 1))
        wanted = components.appearance_of(drawn.z[:, 0].to(trainer.device))
        error = components.mean_error((found - wanted).square()).mean()
    if not float(error) < _MAX_APPEARANCE_ERROR:
        raise CowganError(
            "The latents of this model do not stand for the components of this bank's anatomies; "
            "use the bank that it was trained on, or choose the published start."
        )


def _check_fit(new: NetworkConfig, old: NetworkConfig) -> None:
    if old.image_size > new.image_size or old.depth > new.depth:
        sizes = [dimensions(config.volume_shape) for config in (old, new)]
        raise CowganError(
            f"A network of {sizes[1]} voxels cannot start from a larger one of {sizes[0]}."
        )
    same = ("latent_dim", "style_depth", "lr_mlp")
    for name in same:
        if getattr(old, name) != getattr(new, name):
            raise CowganError(
                f"Both networks need the same {name}, but the model has {getattr(old, name)} and "
                f"the new network {getattr(new, name)}."
            )


def _copy(network: nn.Module, state: StateDict, shift: int = 0) -> list[int]:
    """Copy tensors of equal name and shape; return the blocks that did not fit."""
    own = network.state_dict()
    skipped = set()
    for name, tensor in state.items():
        block = _BLOCK.match(name)
        if block:
            name = f"blocks.{int(block[1]) + shift}.{name[block.end() :]}"
        if name in own and own[name].shape == tensor.shape:
            own[name].copy_(tensor)
        elif block:
            skipped.add(int(block[1]))
    return sorted(skipped)


def _copied_nothing(generator: Generator, smaller: InitialWeights) -> bool:
    own, other = generator.synthesis.state_dict(), smaller.synthesis
    return not any(
        name in own and own[name].shape == tensor.shape and _BLOCK.match(name)
        for name, tensor in other.items()
    )
