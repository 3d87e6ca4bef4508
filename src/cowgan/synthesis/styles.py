"""The styles of a latent state."""

from collections.abc import Iterable

import torch
from torch import Tensor

from cowgan.checkpoint import Checkpoint
from cowgan.errors import CowganError
from cowgan.randomness import stream
from cowgan.synthesis.state import LatentState


def latent(seed: int, latent_dim: int) -> Tensor:
    """Return the z of a seed, shape (latent_dim,), the same on every device."""
    return torch.from_numpy(stream("z", seed).standard_normal(latent_dim).astype("float32"))


@torch.inference_mode()
def style(checkpoint: Checkpoint, seed: int) -> Tensor:
    """Return the w of a seed, shape (latent_dim,)."""
    return checkpoint.mapping(latent(seed, checkpoint.config.latent_dim)[None])[0]


@torch.inference_mode()
def styles(checkpoint: Checkpoint, state: LatentState, centres: Tensor | None = None) -> Tensor:
    """Return the W+ code of a state, shape (n_blocks, latent_dim), float32 on the CPU.

    Parameters
    ----------
    checkpoint : Checkpoint
        Model of the latent space.
    state : LatentState
        The state.
    centres : Tensor, optional
        What to truncate towards instead of `truncation_centres`, of the same shape.

    Raises
    ------
    CowganError
        The state was made for another architecture.
    """
    ws = _mixed(checkpoint, state)
    if state.psi != 1:
        truncated = ws[: state.cutoff]
        if centres is None:
            centres = truncation_centres(checkpoint, state)
        truncated.copy_(torch.lerp(centres[: state.cutoff], truncated, state.psi))
    for edit in state.edits:
        blocks = slice(edit.first_block, edit.last_block + 1)
        ws[blocks] = edit.direction.apply(ws[blocks], edit.sigmas)
    return ws


@torch.inference_mode()
def truncation_centres(checkpoint: Checkpoint, state: LatentState) -> Tensor:
    """Return what each block of a state is truncated towards, shape (n_blocks, latent_dim).

    Raises
    ------
    CowganError
        The state was made for another architecture.
    """
    ws = _mixed(checkpoint, state)
    if state.centre == "nearest":
        return checkpoint.w_centres.nearest(ws)
    return checkpoint.w_mean.expand_as(ws)


def _mixed(checkpoint: Checkpoint, state: LatentState) -> Tensor:
    """Return the base style of each block after mixing, shape (n_blocks, latent_dim)."""
    check_fit(checkpoint, state)
    base = style(checkpoint, state.seed)[None] if state.w is None else torch.tensor(state.w)
    ws = base.expand(checkpoint.config.n_blocks, -1).clone()
    for mix in state.mixing:
        ws[mix.block] = torch.lerp(ws[mix.block], style(checkpoint, mix.seed), mix.weight)
    return ws


def check_fit(checkpoint: Checkpoint, state: LatentState) -> None:
    """Raise `CowganError` if a state was made for another architecture."""
    config = checkpoint.config
    blocks: Iterable[int] = (
        *(mix.block for mix in state.mixing),
        *(block for edit in state.edits for block in (edit.first_block, edit.last_block)),
    )
    lengths = {len(row) for row in state.w or ()} | {e.direction.vector.size for e in state.edits}
    shapes = {config.block_shape(block) for block in range(config.n_blocks)}
    if (
        not all(0 <= block < config.n_blocks for block in blocks)
        or any(each.shape not in shapes for each in state.noise_maps)
        or lengths - {config.latent_dim}
        or (state.w is not None and len(state.w) not in (1, config.n_blocks))
    ):
        raise CowganError(
            "This latent state was made with a model of another architecture and does not fit "
            f"{checkpoint.card.name}."
        )
