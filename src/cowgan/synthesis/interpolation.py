"""Interpolation between two latents."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from cowgan.checkpoint import Checkpoint
from cowgan.synthesis.state import LatentState
from cowgan.synthesis.styles import latent, style


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
