"""Search for the directions that change volumes most."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cowgan.errors import CowganError
from cowgan.latent.components import block_thirds, pca_directions, sefa_directions
from cowgan.progress import Progress, Silent, advance
from cowgan.synthesis import Direction, Edit, LatentState, Synthesizer

DirectionMethod = Literal["pca", "sefa"]

_METHODS = {"pca": pca_directions, "sefa": sefa_directions}
_SEEDS = (0, 1)
_PSI = 0.7
_SIGMAS = 2.0
_SHAPE_BLOCK = 3
"""Block whose grey volume of 32 x 32 x 32 voxels shows the effect of coarser blocks."""


def find_directions(
    synthesizer: Synthesizer,
    method: DirectionMethod,
    first_block: int = 0,
    last_block: int | None = None,
    count: int = 10,
    progress: Progress | None = None,
) -> list[Direction]:
    """Find directions of one kind and rank them by their measured effect.

    Parameters
    ----------
    synthesizer : Synthesizer
        Provides model, device and precision; its cache is not touched.
    method : {"pca", "sefa"}
        See `pca_directions` and `sefa_directions`.
    first_block, last_block : int, optional
        Blocks the directions act on, 0-based and inclusive; by default all.
    count : int
        Number of candidates to take by eigenvalue and to rank.
    progress : Progress, optional
        Reports each direction.

    Returns
    -------
    list of Direction
        With their `effect`, largest first.

    Raises
    ------
    Cancelled
        The user cancelled.
    CowganError
        The method or the block range does not exist.
    """
    n_blocks = synthesizer.checkpoint.config.n_blocks
    last = n_blocks - 1 if last_block is None else last_block
    if method not in _METHODS:
        raise CowganError(f"There is no method {method!r} to find directions; use pca or sefa.")
    if not 0 <= first_block <= last < n_blocks:
        raise CowganError(
            f"Blocks {first_block} to {last} are not a range of the model's blocks, 0 to "
            f"{n_blocks - 1}."
        )
    if count < 1:
        raise CowganError("At least one direction must be asked for.")
    candidates = _METHODS[method](synthesizer.checkpoint, first_block, last, count)
    return rank_by_effect(synthesizer, candidates, progress)


def default_directions(
    synthesizer: Synthesizer, progress: Progress | None = None, per_group: int = 5
) -> list[Direction]:
    """Find the default directions: PCA and SeFa for coarse, middle and fine blocks.

    Parameters
    ----------
    synthesizer : Synthesizer
        Provides model, device and precision; its cache is not touched.
    progress : Progress, optional
        Reports each direction.
    per_group : int
        Candidates per method and third of the blocks.

    Returns
    -------
    list of Direction
        The best of each group first, then the second best of each, and so on, so that the
        first ones are varied.
    """
    checkpoint = synthesizer.checkpoint
    groups = [
        find(checkpoint, first, last, per_group)
        for first, last in block_thirds(checkpoint.config.n_blocks).values()
        for find in _METHODS.values()
    ]
    ranked = rank_by_effect(synthesizer, [d for group in groups for d in group], progress)
    by_group: dict[tuple[str, int], list[Direction]] = {}
    for direction in ranked:
        by_group.setdefault((direction.method, direction.first_block), []).append(direction)
    return [
        direction
        for place in range(per_group)
        for direction in sorted(
            (group[place] for group in by_group.values() if place < len(group)),
            key=lambda d: -d.effect,
        )
    ]


def rank_by_effect(
    synthesizer: Synthesizer, directions: Sequence[Direction], progress: Progress | None = None
) -> list[Direction]:
    """Measure the effect of each direction on a few volumes, and sort by it.

    The effect is the mean absolute change of a voxel per sigma, taken at two sigma either
    way from a few truncated seeds without noise. Directions that act on coarse blocks
    only are measured on the grey volume at 32 x 32 x 32.
    """
    progress = progress or Silent()
    # A separate renderer: the caller's cache and lock are needed for moving sliders.
    renderer = Synthesizer(synthesizer.checkpoint, str(synthesizer.device), synthesizer.precision)
    finest = synthesizer.checkpoint.config.n_blocks - 1
    unmoved: dict[tuple[int, int], NDArray[np.float32]] = {}
    measured = []
    advance(progress, 0, len(directions))
    for done, direction in enumerate(directions, start=1):
        stop_block = min(max(direction.last_block, _SHAPE_BLOCK), finest)
        effect = _effect(renderer, direction, stop_block, unmoved)
        measured.append(replace(direction, effect=effect))
        advance(progress, done, len(directions), direction.name)
    return sorted(measured, key=lambda d: -d.effect)


def _effect(
    renderer: Synthesizer,
    direction: Direction,
    stop_block: int,
    unmoved: dict[tuple[int, int], NDArray[np.float32]],
) -> float:
    """Measure one direction; `unmoved` caches the volumes of each seed without it."""
    changes = []
    for seed in _SEEDS:
        plain = LatentState(seed, psi=_PSI, noise=False)
        if (seed, stop_block) not in unmoved:
            unmoved[seed, stop_block] = renderer.render(plain, stop_block).data
        still = unmoved[seed, stop_block]
        for sigmas in (-_SIGMAS, _SIGMAS):
            edit = Edit(direction, sigmas, direction.first_block, direction.last_block)
            moved = renderer.render(replace(plain, edits=(edit,)), stop_block).data
            changes.append(float(np.abs(moved - still).mean()) / _SIGMAS)
    return float(np.mean(changes))
