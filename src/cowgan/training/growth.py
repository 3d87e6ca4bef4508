"""Starting a network from one that makes smaller volumes."""

import re
from collections.abc import Mapping

from torch import Tensor, nn

from cowgan.checkpoint import Checkpoint
from cowgan.errors import CowganError
from cowgan.networks import NetworkConfig
from cowgan.training.trainer import Generator, Trainer

_BLOCK = re.compile(r"^blocks\.(\d+)\.")


def grow_from(trainer: Trainer, smaller: Checkpoint) -> list[str]:
    """Copy what fits from a smaller model into a trainer that has not begun.

    The mapping network must fit as a whole. Synthesis blocks count from the coarsest and
    discriminator blocks from the finest, so the latter are matched from their end. The
    grey outputs that both have are kept, so the first volumes are the small model's,
    enlarged, plus what the new blocks add.

    Parameters
    ----------
    trainer : Trainer
        At step 0.
    smaller : Checkpoint
        Of at most the same image size and depth.

    Returns
    -------
    list of str
        Sentences on what could not be copied.

    Raises
    ------
    CowganError
        The model is larger, its latents differ, or nothing of its synthesis fits.
    """
    new, old = trainer.config.network, smaller.config
    _refuse_unfit(new, old)
    notes = []
    for generator in (trainer.generator, trainer.average):
        generator.mapping.load_state_dict(smaller.mapping.state_dict())
        missed = _copy(generator.synthesis, smaller.synthesis.state_dict())
    if missed:
        names = ", ".join(f"block {number}" for number in missed)
        notes.append(f"Channels differ, so these start anew: {names}.")
    if _copied_nothing(trainer.generator, smaller):
        raise CowganError(
            "No block of this model fits the new network; halve the network capacity each time "
            "the image size doubles."
        )
    if smaller.discriminator is None:
        notes.append("The model has no discriminator, so a new one starts.")
    elif trainer.config.discriminator == "published":
        shift = new.n_blocks - old.n_blocks
        _copy(trainer.discriminator, smaller.discriminator.state_dict(), shift)
    return notes


def _refuse_unfit(new: NetworkConfig, old: NetworkConfig) -> None:
    if old.image_size > new.image_size or old.depth > new.depth:
        sizes = [" x ".join(str(n) for n in config.volume_shape) for config in (old, new)]
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


def _copy(network: nn.Module, state: Mapping[str, Tensor], shift: int = 0) -> list[int]:
    """Copy tensors of equal name and shape; return the blocks that were left out."""
    own = network.state_dict()
    missed = set()
    for name, tensor in state.items():
        block = _BLOCK.match(name)
        if block:
            name = f"blocks.{int(block[1]) + shift}.{name[block.end() :]}"
        if name in own and own[name].shape == tensor.shape:
            own[name].copy_(tensor)
        elif block:
            missed.add(int(block[1]))
    return sorted(missed)


def _copied_nothing(generator: Generator, smaller: Checkpoint) -> bool:
    own, other = generator.synthesis.state_dict(), smaller.synthesis.state_dict()
    return not any(
        name in own and own[name].shape == tensor.shape and _BLOCK.match(name)
        for name, tensor in other.items()
    )
