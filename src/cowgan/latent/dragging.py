"""Dragging vessels of a generated volume to where the user wants them.

After Pan et al., "Drag Your GAN: Interactive Point-based Manipulation on the Generative Image
Manifold", SIGGRAPH 2023, in three dimensions: the styles of the coarse blocks are optimised until
what the network computes at each handle has moved to the handle's target. Positions are voxels
(z, x, y) of the full volume throughout.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cowgan.checkpoint import Checkpoint
from cowgan.errors import CowganError
from cowgan.networks import NetworkConfig
from cowgan.synthesis import LatentState, Synthesizer, styles

Voxel = tuple[float, float, float]

ARRIVED_VOXELS = 1.5
"""A handle that is so near to its target has arrived."""
_FEATURE_BLOCK = 3
"""Block of 32 x 32 x 32 voxels, whose features still follow anatomy and not yet texture."""
_LEARNING_RATE = 0.026
"""Length of an optimiser's step, in standard deviations of p."""
_PATCH_RADIUS = 3
_SEARCH_RADIUS = 4
_FIXED_WEIGHT = 0.5
_PATIENCE = 20
_LEAST_PROGRESS = 0.5
"""Voxels that the handles must get nearer, on average, within so many steps."""


@dataclass(frozen=True)
class Pull:
    """A handle on a vessel, and where it is pulled.

    Attributes
    ----------
    handle, target : tuple of float
        Voxels (z, x, y) of the full volume.
    """

    handle: Voxel
    target: Voxel


class DragOutcome(Enum):
    """What became of a drag."""

    MOVING = "moving"
    ARRIVED = "arrived"
    STUCK = "stuck"


@dataclass(frozen=True)
class DragStep:
    """One step of a drag.

    Attributes
    ----------
    latent : LatentState
        Shows the volume as it is now.
    handles : tuple of tuple of float
        Where the handles are now, as voxels (z, x, y).
    distance : float
        Mean distance of the handles from their targets, in voxels.
    outcome : DragOutcome
        Whether the drag goes on.
    """

    latent: LatentState
    handles: tuple[Voxel, ...]
    distance: float
    outcome: DragOutcome


def drag(
    synthesizer: Synthesizer,
    state: LatentState,
    pulls: Sequence[Pull],
    fixed: NDArray[np.bool_] | None = None,
) -> Iterator[DragStep]:
    """Pull handles to their targets, step by step.

    Seed and noise stay. Mixing, truncation and directions of the state are taken into the
    explicit styles of the new states, so that the drag starts from the very volume of `state`.

    Parameters
    ----------
    synthesizer : Synthesizer
        The model; may render in another thread meanwhile.
    state : LatentState
        State to start from.
    pulls : sequence of Pull
        At least one.
    fixed : ndarray of bool, shape (z, x, y), optional
        Voxels of the full volume that should stay as they are. What the model can move only
        together with them gets stuck.

    Yields
    ------
    DragStep
        After each step, until all handles have arrived or none gets nearer any more; in the
        latter case the last one is the nearest of all.

    Raises
    ------
    CowganError
        There is no pull, one lies outside of the volume, the fixed voxels have another shape or
        leave no handle free, or the state does not fit the model.
    """
    checkpoint = synthesizer.checkpoint
    shape = checkpoint.config.volume_shape
    _check(pulls, fixed, shape)
    block = feature_block(checkpoint.config)
    start = styles(checkpoint, state).clone()
    moving = start[: block + 1].clone().requires_grad_()
    optimiser = torch.optim.Adam([moving], lr=_learning_rate(checkpoint))
    device = synthesizer.device
    handles, targets = (
        torch.tensor(voxels, dtype=torch.float32, device=device)
        for voxels in ([pull.handle for pull in pulls], [pull.target for pull in pulls])
    )
    first = synthesizer.features(start[: block + 1], state)
    sought = sample_features(first, handles, shape)
    weights = _fixed_weights(fixed, first)

    nearest: DragStep | None = None
    since = 0
    features = synthesizer.features(moving, state)
    while True:
        loss = motion_loss(features, handles, targets, shape)
        if weights is not None:
            loss = loss + _FIXED_WEIGHT * (weights * (features - first).abs()).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

        features = synthesizer.features(moving, state)
        handles = track(features.detach(), sought, handles, shape)
        distances = (targets - handles).norm(dim=1)
        step = DragStep(
            with_styles(state, torch.cat([moving.detach(), start[block + 1 :]])),
            tuple((z, x, y) for z, x, y in handles.tolist()),
            float(distances.mean()),
            DragOutcome.ARRIVED if (distances <= ARRIVED_VOXELS).all() else DragOutcome.MOVING,
        )
        since += 1
        if nearest is None or step.distance < nearest.distance - _LEAST_PROGRESS:
            nearest, since = step, 0
        if step.outcome is DragOutcome.MOVING and since >= _PATIENCE:
            yield replace(nearest, outcome=DragOutcome.STUCK)
            return
        yield step
        if step.outcome is DragOutcome.ARRIVED:
            return


def feature_block(config: NetworkConfig) -> int:
    """Return the block whose features are followed, the last of those that a drag changes."""
    return min(_FEATURE_BLOCK, config.n_blocks - 1)


def motion_loss(
    features: Tensor, handles: Tensor, targets: Tensor, shape: tuple[int, int, int]
) -> Tensor:
    """Return how little the surroundings of handles have moved one voxel towards the targets.

    Parameters
    ----------
    features : Tensor
        Shape (1, channels, d, h, w), of any resolution.
    handles, targets : Tensor
        Shape (n, 3), voxels of the full volume.
    shape : tuple of int
        Shape (z, x, y) of the full volume.

    Returns
    -------
    Tensor
        Mean absolute difference between the features around each handle, held fixed, and those
        one voxel further on. At most the rest of the way is taken; handles that have arrived
        are held where they are.
    """
    way = targets - handles
    step = way / way.norm(dim=1, keepdim=True).clamp(min=1)
    around = handles[:, None] + _ball(_PATCH_RADIUS, handles.device)
    here = sample_features(features.detach(), around, shape)
    there = sample_features(features, around + step[:, None], shape)
    return (there - here).abs().mean()


def track(features: Tensor, sought: Tensor, handles: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """Return the voxels near the handles whose features are most like those sought.

    Parameters
    ----------
    features, handles, shape
        As for `motion_loss`.
    sought : Tensor
        Features of each handle before anything moved, shape (channels, n).

    Returns
    -------
    Tensor
        Shape (n, 3), within the volume.
    """
    last = torch.tensor(shape, device=handles.device) - 1
    near = handles[:, None] + _ball(_SEARCH_RADIUS, handles.device)
    near = torch.minimum(near.clamp(min=0), last)
    unlike = (sample_features(features, near, shape) - sought[..., None]).abs().sum(0)
    return near[torch.arange(len(near)), unlike.argmin(1)]


def sample_features(features: Tensor, voxels: Tensor, shape: tuple[int, int, int]) -> Tensor:
    """Return features (1, channels, ...) at voxels (..., 3) of the full volume.

    Returns
    -------
    Tensor
        Shape (channels, ...), interpolated linearly; beyond the edge, those at the edge.
    """
    size = torch.tensor(shape, device=voxels.device)
    # In the order of `grid_sample`, from the last axis to the first, -1 and 1 at the edges.
    grid = ((2 * voxels + 1) / size - 1).flip(-1)
    sampled = functional.grid_sample(
        features, grid.reshape(1, 1, 1, -1, 3), padding_mode="border", align_corners=False
    )
    return sampled.reshape(features.shape[1], *voxels.shape[:-1])


def beyond_reach(
    pulls: Sequence[Pull], reach: float, shape: tuple[int, int, int]
) -> NDArray[np.bool_]:
    """Return the voxels that are farther than `reach` voxels from the way of every pull."""
    voxels = np.moveaxis(np.indices(shape, dtype=np.float32), 0, -1)
    beyond = np.ones(shape, dtype=bool)
    for pull in pulls:
        start = np.array(pull.handle, np.float32)
        way = np.array(pull.target, np.float32) - start
        part = ((voxels - start) @ way / max(float(way @ way), 1e-6)).clip(0, 1)
        beyond &= np.linalg.norm(voxels - start - part[..., None] * way, axis=-1) > reach
    return beyond


def _check(
    pulls: Sequence[Pull], fixed: NDArray[np.bool_] | None, shape: tuple[int, int, int]
) -> None:
    if not pulls:
        raise CowganError("There is nothing to drag: put a handle on a vessel first.")
    for pull in pulls:
        for voxel in (pull.handle, pull.target):
            if not all(0 <= at <= size - 1 for at, size in zip(voxel, shape, strict=True)):
                raise CowganError("A handle or a target lies outside of the volume.")
    if fixed is None:
        return
    if fixed.shape != shape:
        raise CowganError("What should stay was marked in a volume of another size.")
    if any(fixed[tuple(round(at) for at in pull.handle)] for pull in pulls):
        raise CowganError("A handle lies where the volume should stay; it could not move.")


def _learning_rate(checkpoint: Checkpoint) -> float:
    variance = checkpoint.statistics.p_covariance.diagonal().mean()
    return _LEARNING_RATE * float(variance.clamp(min=0).sqrt())


def _fixed_weights(fixed: NDArray[np.bool_] | None, features: Tensor) -> Tensor | None:
    """Return the share of each feature's voxel in the mean over all that is fixed."""
    if fixed is None or not fixed.any():
        return None
    voxels = torch.from_numpy(fixed.astype(np.float32))[None, None].to(features.device)
    _, channels, d, h, w = features.shape
    shares = functional.adaptive_avg_pool3d(voxels, (d, h, w))
    return shares / (shares.sum() * channels)


def with_styles(state: LatentState, ws: Tensor) -> LatentState:
    """Return a state with explicit styles (n_blocks, latent_dim), and its own noise."""
    w = tuple(tuple(row) for row in ws.tolist())
    return replace(state, w=w, psi=1.0, centre="mean", cutoff=None, mixing=(), edits=())


def _ball(radius: int, device: torch.device) -> Tensor:
    """Return the whole voxels within a radius of the origin, shape (n, 3)."""
    along = torch.arange(-radius, radius + 1, device=device)
    voxels = torch.cartesian_prod(along, along, along).float()
    return voxels[voxels.norm(dim=1) <= radius]
