"""User-made directions: the difference between two latent states."""

import torch

from cowgan.checkpoint import Checkpoint
from cowgan.errors import CowganError
from cowgan.synthesis import Direction, LatentState, styles


def direction_between(
    checkpoint: Checkpoint, start: LatentState, end: LatentState, name: str
) -> Direction:
    """Return the direction from one state to another.

    Parameters
    ----------
    checkpoint : Checkpoint
        Model of both states.
    start, end : LatentState
        One unit of the direction is the whole step from `start` to `end`, averaged over
        the blocks in which their styles differ.
    name : str
        Name of the direction.

    Raises
    ------
    CowganError
        The styles do not differ.
    """
    step = styles(checkpoint, end) - styles(checkpoint, start)
    moved = torch.nonzero(step.abs().amax(1) > 0)[:, 0].tolist()
    if not moved:
        raise CowganError("Nothing has been moved, so there is no direction to keep.")
    first, last = moved[0], moved[-1]
    return Direction(
        name=name,
        method="own",
        space="w",
        vector=step[moved].mean(0).numpy(),
        first_block=first,
        last_block=last,
    )
