"""Segmentation of the part of a scan that networks know: the surroundings of the circle."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cowgan.data.roi import find_centre_mm
from cowgan.errors import CowganError
from cowgan.segmentation.segmenter import Segmentation, is_foreign
from cowgan.volume import Volume

_MARGIN = 1.4
"""Size of the segmented part, relative to that of the images that a network learned from: the
circle is found to about a centimetre only."""
_FOUND = (
    "Only the surroundings of the Circle of Willis, found by its arteries, were segmented; the "
    "rest of the scan has no labels."
)
_Box = tuple[slice, slice, slice]


def segment_around_circle(
    segment: Callable[[Volume], Segmentation], volume: Volume, known_mm: Sequence[float]
) -> Segmentation:
    """Segment the surroundings of the Circle of Willis in a larger scan.

    A scan that is hardly larger than what the network knows, or in which no arteries are found, is
    segmented as a whole.

    Parameters
    ----------
    segment : callable
        Segments a volume.
    volume : Volume
        The scan.
    known_mm : sequence of float
        Size along (z, x, y) of the images that the network learned from.

    Returns
    -------
    Segmentation
        On the grid of the scan; everything around the segmented part is certain background.
    """
    if not is_foreign(volume, known_mm):
        return segment(volume)
    try:
        centre_mm = find_centre_mm(volume)
    except CowganError:
        return segment(volume)
    box = _box(volume, centre_mm, known_mm)
    corner = [part.start for part in (box[1], box[2], box[0])]
    affine = volume.affine.copy()
    affine[:3, 3] = volume.affine[:3] @ [*corner, 1]
    return _embedded(segment(Volume(volume.data[box], affine)), box, volume.shape)


def _box(volume: Volume, centre_mm: NDArray[np.float64], known_mm: Sequence[float]) -> _Box:
    """Return the voxels around a point, as far as the scan has them."""
    x, y, z = (np.linalg.inv(volume.affine) @ [*centre_mm, 1])[:3]
    parts = []
    for middle, mm, size_mm, n in zip(
        (z, x, y), known_mm, volume.spacing_mm, volume.shape, strict=True
    ):
        voxels = min(n, round(_MARGIN * mm / size_mm))
        start = min(max(round(middle - voxels / 2), 0), n - voxels)
        parts.append(slice(start, start + voxels))
    first, second, third = parts
    return first, second, third


def _embedded(found: Segmentation, box: _Box, shape: tuple[int, int, int]) -> Segmentation:
    labels = np.zeros(shape, np.uint8)
    uncertainty = np.zeros(shape, np.float32)
    labels[box], uncertainty[box] = found.labels, found.uncertainty
    probabilities = found.probabilities
    if probabilities is not None:
        whole = np.zeros((len(probabilities), *shape), np.float16)
        whole[0] = 1
        whole[(slice(None), *box)] = probabilities
        probabilities = whole
    return replace(
        found,
        labels=labels,
        uncertainty=uncertainty,
        probabilities=probabilities,
        remarks=(*found.remarks, _FOUND),
    )
