"""Interpolation between two latents."""

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from cowgan.checkpoint import Checkpoint
from cowgan.networks import NetworkConfig
from cowgan.networks.synthesis_network import NOISE_MEAN
from cowgan.synthesis.noise import block_noise
from cowgan.synthesis.noise_map import NoiseMap
from cowgan.synthesis.state import LatentState, NoiseShare
from cowgan.synthesis.styles import check_fit, latent, style, styles, truncation_centres


def slerp(start: Tensor, end: Tensor, t: float) -> Tensor:
    """Interpolate spherically between two latents of shape (..., latent_dim).

    `t` is 0 at `start` and 1 at `end`. Where the two are parallel or opposite, the great
    circle is not defined and the straight line is taken.

    References
    ----------
    Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985.
    """
    cosine = torch.nn.functional.cosine_similarity(start, end, dim=-1)[..., None]
    angle = torch.acos(cosine.clamp(-1, 1))
    sine = torch.sin(angle)
    arc = torch.sin((1 - t) * angle) / sine * start + torch.sin(t * angle) / sine * end
    return torch.where(sine.abs() < 1e-6, torch.lerp(start, end, t), arc)


def between_seeds(
    checkpoint: Checkpoint,
    template: LatentState,
    end_seed: int,
    steps: int,
    space: Literal["z", "w"] = "z",
) -> Iterator[LatentState]:
    """Yield states on the path from the template's seed to another seed.

    Each is truncated by itself, so that a path jumps where another centre becomes the nearest one;
    that of `between_states` does not.

    Parameters
    ----------
    checkpoint : Checkpoint
        Model of the latent space.
    template : LatentState
        Provides the first seed and all other fields of each state; its noise stays fixed.
    end_seed : int
        Seed at the end of the path.
    steps : int
        Number of states, both ends included.
    space : {"z", "w"}
        Spherical interpolation in z, or linear in w.
    """
    size = checkpoint.config.latent_dim
    for step in range(steps):
        t = step / max(steps - 1, 1)
        if space == "z":
            z = slerp(latent(template.seed, size), latent(end_seed, size), t)
            with torch.inference_mode():
                w = checkpoint.mapping(z[None])[0]
        else:
            w = torch.lerp(style(checkpoint, template.seed), style(checkpoint, end_seed), t)
        yield replace(template, w=(tuple(w.tolist()),), noise_seed=template.effective_noise_seed)


def between_states(
    checkpoint: Checkpoint,
    start: LatentState,
    end: LatentState,
    t: float,
    space: Literal["z", "w"] = "z",
) -> LatentState:
    """Return the state at `t` on the path between two states.

    Between seeds the base style follows the path of `between_seeds`; between explicit styles it
    is a straight line in w. Mixing, truncation and directions pass from those of `start` to
    those of `end` as the styles that they give. Where a state is truncated towards the nearest
    centre, this stays the one that is nearest to the state itself: between two states, one centre
    passes into the other, and no other centre on the way draws the style towards itself at once.
    Noises are blended with constant variance.

    Parameters
    ----------
    checkpoint : Checkpoint
        Model of the latent space.
    start, end : LatentState
        Returned unchanged for a `t` of 0 and 1.
    t : float
        0 to 1.
    space : {"z", "w"}
        Spherical interpolation in z where both states have a seed, or linear in w.

    Raises
    ------
    CowganError
        A state was made for another architecture.
    """
    check_fit(checkpoint, start)
    check_fit(checkpoint, end)
    if t == 0 or start == end:
        return start
    if t == 1:
        return end
    blended = _blended_noise(start, end, t, checkpoint.config.n_blocks)
    if blended["noise"]:
        blended["noise_maps"] = _blended_maps(start, end, t, checkpoint.config)
    if replace(start, **blended) == replace(end, **blended):
        return replace(start, **blended)
    base = _base_style(checkpoint, start, end, t, space)
    first, last = (_passing(checkpoint, state, base) for state in (start, end))
    ws = torch.lerp(first, last, t)
    return LatentState(start.seed, w=_rows(ws), **blended)


def _passing(
    checkpoint: Checkpoint, state: LatentState, base: tuple[tuple[float, ...], ...]
) -> Tensor:
    """Return the styles of a state with another base style, but with its own centres."""
    centres = truncation_centres(checkpoint, state) if state.psi != 1 else None
    return styles(checkpoint, replace(state, w=base), centres)


def _base_style(
    checkpoint: Checkpoint, start: LatentState, end: LatentState, t: float, space: str
) -> tuple[tuple[float, ...], ...]:
    if space == "z" and start.w is None and end.w is None:
        size = checkpoint.config.latent_dim
        z = slerp(latent(start.seed, size), latent(end.seed, size), t)
        with torch.inference_mode():
            return _rows(checkpoint.mapping(z[None]))
    first, last = (
        style(checkpoint, state.seed)[None] if state.w is None else torch.tensor(state.w)
        for state in (start, end)
    )
    first, last = torch.broadcast_tensors(first, last)
    return _rows(torch.lerp(first, last, t))


def _blended_noise(start: LatentState, end: LatentState, t: float, n_blocks: int) -> dict[str, Any]:
    if not (start.noise or end.noise):
        return {"noise": False}
    # A state without noise has none to blend in: only the strength changes.
    first = _weights(start if start.noise else end)
    last = _weights(end if end.noise else start)
    seeds = sorted(first | last)
    mixed = slerp(
        torch.tensor([first.get(seed, 0.0) for seed in seeds]),
        torch.tensor([last.get(seed, 0.0) for seed in seeds]),
        t,
    )
    shares = [NoiseShare(seed, weight) for seed, weight in zip(seeds, mixed.tolist(), strict=True)]
    strength = [
        (1 - t) * start.strength(block) + t * end.strength(block) for block in range(n_blocks)
    ]
    return {
        "noise": True,
        "noise_seed": seeds[0],
        "noise_blend": () if shares == [NoiseShare(seeds[0], 1.0)] else tuple(shares),
        "noise_strength": () if set(strength) == {1.0} else tuple(strength),
    }


def _blended_maps(
    start: LatentState, end: LatentState, t: float, config: NetworkConfig
) -> tuple[NoiseMap, ...]:
    """Return what lies between the maps of noise, or between one and the noise of a seed."""
    if start.noise_maps == end.noise_maps:
        return start.noise_maps
    shapes = {each.shape for state in (start, end) for each in state.noise_maps}
    angle = t * math.pi / 2
    maps = []
    for block in range(config.n_blocks):
        if (shape := config.block_shape(block)) not in shapes:
            continue
        first, last = (
            NOISE_MEAN if noise is None else noise.numpy()
            for noise in (
                block_noise(replace(state, noise_strength=()), block, config)
                for state in (start, end)
            )
        )
        deviation = math.cos(angle) * (first - NOISE_MEAN) + math.sin(angle) * (last - NOISE_MEAN)
        maps.append(NoiseMap(shape, np.clip(deviation + NOISE_MEAN, 0, 1)))
    return tuple(maps)


def _weights(state: LatentState) -> dict[int, float]:
    weights: dict[int, float] = {}
    for share in state.noises:
        weights[share.seed] = weights.get(share.seed, 0.0) + share.weight
    return weights


def _rows(ws: Tensor) -> tuple[tuple[float, ...], ...]:
    return tuple(map(tuple, ws.tolist()))
