"""PCA and SeFa directions, computed from the weights without rendering."""

from typing import cast

import torch
from torch import Tensor

from cowgan.checkpoint import Checkpoint, to_p
from cowgan.networks import SynthesisNetwork
from cowgan.networks.synthesis_network import SynthesisBlock
from cowgan.randomness import stream
from cowgan.synthesis import Direction

_SCALE_SAMPLES = 10_000
_TOLERANCE = 0.02
"""Of a rotation that was stored in half precision."""


def pca_directions(
    checkpoint: Checkpoint, first_block: int, last_block: int, count: int
) -> list[Direction]:
    """Return the principal components of the latent distribution, largest variance first.

    They are components of p (w before the mapping network's last leaky ReLU), where the
    distribution is near Gaussian, so that one unit is one standard deviation. Where p varies
    equally in all directions, they are those of single latents in their order: after a linear
    start, these are principal components of the arteries that were trained on.

    Parameters
    ----------
    checkpoint : Checkpoint
        The model.
    first_block, last_block : int
        Blocks the directions act on, 0-based and inclusive.
    count : int
        Number of directions; at most latent_dim are returned.

    References
    ----------
    Härkönen et al., "GANSpace", NeurIPS 2020; Zhu et al., arXiv 2012.09036 (P space).
    """
    axes = _axes_of_rotation(checkpoint)
    if axes is None:
        axes = _principal_axes(checkpoint.statistics.p_covariance.double())
    return [
        Direction(
            name=_name("PCA", i, first_block, last_block, checkpoint.config.n_blocks),
            method="PCA",
            space="p",
            vector=axis.float().numpy(),
            first_block=first_block,
            last_block=last_block,
        )
        for i, axis in enumerate(axes[:count])
    ]


def sefa_directions(
    checkpoint: Checkpoint, first_block: int, last_block: int, count: int
) -> list[Direction]:
    """Return the directions that change the styles of some blocks most.

    They are the leading eigenvectors of the style layers' weights. Samples only determine their
    length, one standard deviation of w.

    Parameters
    ----------
    checkpoint, first_block, last_block, count
        As for `pca_directions`.

    References
    ----------
    Shen and Zhou, "Closed-Form Factorization of Latent Semantics in GANs", CVPR 2021.
    """
    rows = torch.nn.functional.normalize(
        _style_rows(checkpoint.synthesis, first_block, last_block).double(), dim=1
    )
    _, vectors = torch.linalg.eigh(rows.T @ rows)
    w = _sample_w(checkpoint).double()
    directions = []
    for i in range(min(count, vectors.shape[1])):
        vector = _with_fixed_sign(vectors[:, -1 - i])
        directions.append(
            Direction(
                name=_name("SeFa", i, first_block, last_block, checkpoint.config.n_blocks),
                method="SeFa",
                space="w",
                vector=(vector * (w @ vector).std()).float().numpy(),
                first_block=first_block,
                last_block=last_block,
            )
        )
    return directions


def block_thirds(n_blocks: int) -> dict[str, tuple[int, int]]:
    """Return the coarse, middle and fine thirds of a network's blocks, each inclusive."""
    bounds = [round(n_blocks * i / 3) for i in range(4)]
    names = ("coarse", "middle", "fine")
    return {
        name: (first, after - 1)
        for name, first, after in zip(names, bounds, bounds[1:], strict=False)
        if after > first
    }


@torch.inference_mode()
def _axes_of_rotation(checkpoint: Checkpoint) -> Tensor | None:
    """Return the change of p with each latent, as rows; None unless the mapping is a rotation."""
    unit = torch.eye(checkpoint.config.latent_dim)
    there, back = (to_p(checkpoint.mapping(side * unit)) for side in (1, -1))
    axes = (there - back) / 2 / len(unit) ** 0.5
    middle = (there + back) / 2
    rotated = torch.allclose(axes @ axes.T, unit, atol=_TOLERANCE)
    return axes if rotated and torch.allclose(middle, middle[:1], atol=_TOLERANCE) else None


def _principal_axes(covariance: Tensor) -> Tensor:
    """Return principal axes as rows, largest variance first, one standard deviation long."""
    variances, vectors = torch.linalg.eigh(covariance)
    pairs = zip(vectors.T.flip(0), variances.flip(0), strict=True)
    return torch.stack([_with_fixed_sign(vector) * size.clamp(0).sqrt() for vector, size in pairs])


def _style_rows(network: SynthesisNetwork, first_block: int, last_block: int) -> Tensor:
    blocks = [cast(SynthesisBlock, block) for block in network.blocks[first_block : last_block + 1]]
    return torch.cat([layer.weight for b in blocks for layer in (b.to_style1, b.to_style2)])


@torch.inference_mode()
def _sample_w(checkpoint: Checkpoint) -> Tensor:
    shape = (_SCALE_SAMPLES, checkpoint.config.latent_dim)
    z = stream("direction scale", 0).standard_normal(shape).astype("float32")
    return checkpoint.mapping(torch.from_numpy(z))


def _with_fixed_sign(vector: Tensor) -> Tensor:
    """Make the largest entry positive: an eigenvector's sign is arbitrary."""
    return vector * torch.sign(vector[vector.abs().argmax()])


def _name(method: str, index: int, first_block: int, last_block: int, n_blocks: int) -> str:
    parts = {blocks: name for name, blocks in block_thirds(n_blocks).items()}
    parts[0, n_blocks - 1] = "all blocks"
    span = f"block {first_block}"
    if last_block > first_block:
        span = f"blocks {first_block}-{last_block}"
    return f"{method} {index + 1} ({parts.get((first_block, last_block), span)})"
