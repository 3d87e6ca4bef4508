"""Pictures of volumes, as a person looks at them; gradients pass through.

Each view is a function from volumes (N, 1, z, x, y) to pictures (N, 1, rows, columns).
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

View = Callable[[Tensor], Tensor]

Features = dict[str, list[Tensor]]
"""Feature maps (N, channels, h, w) at each depth, fine to coarse, of each view."""

NAMES = ("axial", "slab", "coronal", "sagittal")


def axial(volumes: Tensor) -> Tensor:
    """Return maximum intensity projections along the body axis."""
    return volumes.amax(2)


def coronal(volumes: Tensor) -> Tensor:
    """Return maximum intensity projections from front to back."""
    return volumes.amax(4)


def sagittal(volumes: Tensor) -> Tensor:
    """Return maximum intensity projections from left to right."""
    return volumes.amax(3)


def slab(volumes: Tensor, first: int, thickness: int) -> Tensor:
    """Return axial maximum intensity projections of a few slices."""
    return volumes[:, :, first : first + thickness].amax(2)


def draw_views(depth: int, generator: torch.Generator) -> dict[str, View]:
    """Return the views of one pass, the slab at a random place.

    The slab has 1 to a quarter of the slices; half of the time it is a single one.
    """
    most = max(depth // 4, 1)
    thickness, coin = (int(torch.randint(1, n + 1, (), generator=generator)) for n in (most, 2))
    thickness = 1 if coin == 1 else thickness
    first = int(torch.randint(0, depth - thickness + 1, (), generator=generator))
    thin = partial(slab, first=first, thickness=thickness)
    return {"axial": axial, "slab": thin, "coronal": coronal, "sagittal": sagittal}


def resized(pictures: Tensor, edge: int, flat: bool) -> Tensor:
    """Return pictures of `edge` columns, and as many rows or, if flat, half of them."""
    shape = (edge // 2 if flat else edge, edge)
    if tuple(pictures.shape[2:]) == shape:
        return pictures
    return functional.interpolate(pictures, size=shape, mode="bilinear", align_corners=False)
