"""Views of volumes: maximum intensity projections and slabs. Differentiable.

Each view is a function from volumes (N, 1, z, x, y) to pictures (N, 1, rows, columns).
`fixed_views` are those that extractors describe.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from cowgan.volume import Volume
from cowgan.volume.intensity import rescale

Projection = Callable[[Tensor], Tensor]

Features = dict[str, list[Tensor]]
"""Feature maps (N, channels, h, w) at each depth, fine to coarse, of each view."""

PLANES = {"axial": 2, "coronal": 4, "sagittal": 3}
"""Tensor axis perpendicular to each plane."""

NAMES = (*PLANES, *(f"{plane}_slab" for plane in PLANES))

SLICES = 8
"""Axial slices among `fixed_views`."""


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


def fixed_views(volume: Volume) -> list[tuple[Tensor, bool]]:
    """Return pictures (N, 1, rows, columns) that describe a volume, and whether they are flat.

    These are the projections onto each plane, then eight axial slices at equal distances, of
    intensities scaled by `rescale`.

    Raises
    ------
    CowganError
        All voxels have about the same value.
    """
    data = torch.from_numpy(rescale(volume.data))[None, None]
    places = (torch.arange(SLICES) + 0.5) * data.shape[2] / SLICES
    slices = data[0, 0, places.long()][:, None]
    projections = [(projection(data, plane), plane != "axial") for plane in PLANES]
    return [*projections, (slices, False)]


def picture_shape(edge: int, flat: bool) -> tuple[int, int]:
    """Return the rows and columns of pictures of `edge` columns, with half the rows if flat."""
    return edge // 2 if flat else edge, edge


def resized(pictures: Tensor, edge: int, flat: bool) -> Tensor:
    """Return pictures of `picture_shape`."""
    shape = picture_shape(edge, flat)
    if tuple(pictures.shape[2:]) == shape:
        return pictures
    return functional.interpolate(pictures, size=shape, mode="bilinear", align_corners=False)
