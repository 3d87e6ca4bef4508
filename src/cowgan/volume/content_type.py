"""Classification of voxel data as image, mask or label map."""

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cowgan.anatomy.label_schemes import TOPCOW_2024
from cowgan.volume.stored import Stored

Content = Literal["image", "mask", "label map"]

LARGEST_LABEL = 255

_MOST_LABELS, _LATEST_BEGINNING = 64, 3
_SAMPLED_SLICES = 24
_SAME_AS_NEIGHBOUR = 0.85
"""Share of neighbouring voxels, neither of them 0, that have the same value in a label map. In
angiograms of 8 bits it is under a half, but noiseless phantoms come near it."""


def are_labels(array: NDArray[Any]) -> bool:
    """Return whether all values are whole numbers from 0 to 255."""
    if not array.size or not (array.min() >= 0 and array.max() <= LARGEST_LABEL):
        return False
    return array.dtype.kind in "biu" or bool((array == np.floor(array)).all())


def content_of(stored: Stored) -> Content:
    """Classify the voxels of a file.

    A mask holds 0 and one other value. A label map holds whole numbers from 0 to 255 and meets
    one of three conditions: the file says so; the voxels are stored as integers and all are
    values of the TopCoW scheme; or there are few different values, the least non-zero one is at
    most 3, and neighbouring voxels nearly always agree.
    """
    array = stored.array
    sample = stored.scaled(array[:, :, :: max(1, array.shape[2] // _SAMPLED_SLICES)])
    if not are_labels(sample):
        return "image"
    plain = (stored.slope, stored.intercept) == (1.0, 0.0)
    by_scheme = plain and array.dtype.kind in "iu" and sample.max() <= max(TOPCOW_2024.labels)
    regions = _same_as_neighbours(sample)
    if not (stored.marked_labels or by_scheme or regions):
        return "image"
    voxels = array if plain else stored.scaled(array)
    if not are_labels(voxels):
        return "image"
    if stored.marked_labels:
        return "label map"
    values = _values_in(voxels)
    if len(values) < 2:
        return "image"
    if len(values) == 2 and 0 in values:
        return "mask"
    if by_scheme and all(value in TOPCOW_2024 for value in values):
        return "label map"
    few = len(values) <= _MOST_LABELS and min(values - {0}) <= _LATEST_BEGINNING
    return "label map" if regions and few else "image"


def _values_in(array: NDArray[Any]) -> set[int]:
    present = np.zeros(LARGEST_LABEL + 1, np.bool_)
    for layer in np.moveaxis(array, 2, 0):
        present[layer.astype(np.uint8)] = True
    return set(np.flatnonzero(present).tolist())


def _same_as_neighbours(sample: NDArray[np.float32]) -> bool:
    """Return whether neighbouring voxels within slices nearly always have the same value."""
    same = pairs = 0
    for one, other in ((sample[1:], sample[:-1]), (sample[:, 1:], sample[:, :-1])):
        both = (one != 0) & (other != 0)
        pairs += int(np.count_nonzero(both))
        same += int(np.count_nonzero(both & (one == other)))
    return bool(same > _SAME_AS_NEIGHBOUR * pairs > 0)
