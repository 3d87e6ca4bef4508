"""Views of volumes: maximum intensity projections and slabs. Differentiable.

Each view is a function from volumes (N, 1, z, x, y) to pictures (N, 1, rows, columns).
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

Projection = Callable[[Tensor], Tensor]

Features = dict[str, list[Tensor]]
"""Feature maps (N, channels, h, w) at each depth, fine to coarse, of each view."""

PLANES = {"axial": 2, "coronal": 4, "sagittal": 3}
"""Tensor axis perpendicular to each plane."""

NAMES = (*PLANES, *(f"{plane}_slab" for plane in PLANES))


def projection(volumes: Tensor, plane: str) -> Tensor:
    """Return maximum intensity projections onto a plane."""
    return volumes.amax(PLANES[plane])


def slab(volumes: Tensor, plane: str, place: float, thickness: int) -> Tensor:
    """Return maximum intensity projections of a few slices.

    `place`, 0 to 1, is the position of the first slice among all possible ones.
    """
    axis = PLANES[plane]
    last = volumes.shape[axis] - thickness
    first = min(int(place * (last + 1)), last)
    return volumes.narrow(axis, first, thickness).amax(axis)


def draw_views(depth: int, generator: torch.Generator) -> dict[str, Projection]:
    """Return the views of one pass: projections, and slabs at random positions.

    Slabs have 1 to a quarter of `depth` slices; half of the time they are single ones.
    """
    most = max(depth // 4, 1)
    views: dict[str, Projection] = {plane: partial(projection, plane=plane) for plane in PLANES}
    for plane in PLANES:
        thickness, coin = (int(torch.randint(1, n + 1, (), generator=generator)) for n in (most, 2))
        views[f"{plane}_slab"] = partial(
            slab,
            plane=plane,
            place=float(torch.rand((), generator=generator)),
            thickness=1 if coin == 1 else thickness,
        )
    return views


def resized(pictures: Tensor, edge: int, flat: bool) -> Tensor:
    """Return pictures of `edge` columns, and as many rows, or half of them if flat."""
    shape = (edge // 2 if flat else edge, edge)
    if tuple(pictures.shape[2:]) == shape:
        return pictures
    return functional.interpolate(pictures, size=shape, mode="bilinear", align_corners=False)
