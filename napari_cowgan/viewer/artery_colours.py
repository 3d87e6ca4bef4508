"""Colours and names of the labels of a label map in napari."""

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cowgan.anatomy.arteries import Artery
from cowgan.anatomy.label_colours import label_colours
from cowgan.anatomy.label_schemes import TOPCOW_2024, LabelScheme, label_name

FEATURE = "artery"
"""Feature column that holds the names of arteries, which napari shows under the pointer."""
OTHER_FEATURE = "label"
"""The same of label schemes other than TopCoW 2024."""

COLOURS: dict[Artery, str] = {
    Artery(value): colour for value, colour in label_colours(TOPCOW_2024).items()
}
"""Colour of each artery."""

UNKNOWN_COLOUR = "#9a9a9a"
"""Grey, for label values that are no artery: never invisible."""

_SCHEME_VALUES = frozenset(Artery)
_HIGHEST_OF_OTHER_SCHEMES = 5


def name_of(artery: Artery) -> str:
    """Return abbreviation and full name, as in ``"R-ICA, right internal carotid artery"``."""
    return label_name(TOPCOW_2024, artery)


def colour_table(
    hidden: Collection[int] = (), scheme: LabelScheme = TOPCOW_2024
) -> dict[int | None, str]:
    """Return the colour of each label value; ``None`` stands for all others."""
    table: dict[int | None, str] = {None: UNKNOWN_COLOUR, 0: "transparent"}
    for value, colour in label_colours(scheme).items():
        table[value] = "transparent" if value in hidden else colour
    return table


def features(values: Iterable[int], scheme: LabelScheme = TOPCOW_2024) -> dict[str, list[Any]]:
    """Return the layer features from which napari names the label under the pointer.

    Parameters
    ----------
    values : iterable of int
        Label values of the map; those that are not in the scheme are called unknown.
    scheme : LabelScheme
        Meaning of the values.
    """
    names: dict[int, str | None] = {0: None}
    names |= {value: label_name(scheme, value) for value in scheme.labels}
    names |= {value: "unknown label" for value in values if value not in names}
    column = FEATURE if scheme is TOPCOW_2024 else OTHER_FEATURE
    return {"index": list(names), column: list(names.values())}


def label_values(labels: NDArray[np.integer[Any]]) -> list[int]:
    """Return the values other than 0 that occur in a label map, in ascending order."""
    counts = np.bincount(np.asarray(labels, dtype=np.uint8).ravel(), minlength=256)
    return [int(value) for value in np.flatnonzero(counts) if value]


def central_voxel(labels: NDArray[np.integer[Any]], value: int) -> NDArray[np.intp] | None:
    """Return the index of the voxel of a label nearest to its centroid.

    None if the map lacks the label.
    """
    voxels = np.argwhere(labels == value)
    if not len(voxels):
        return None
    distance = np.square(voxels - voxels.mean(axis=0)).sum(axis=1)
    return voxels[np.argmin(distance)]


def are_scheme_values(values: Collection[int]) -> bool:
    """Return whether there are label values and all belong to the TopCoW scheme."""
    return bool(values) and _SCHEME_VALUES.issuperset(values)


def are_arteries(values: Collection[int]) -> bool:
    """Return whether label values denote arteries of the TopCoW scheme.

    One must be above 5: vessel masks (1) and maps of vessel, posterior, anterior, left and
    right (1 to 5) would otherwise be given the names of arteries. A Circle of Willis always
    has a value above, such as the left internal carotid artery (6).
    """
    return are_scheme_values(values) and max(values) > _HIGHEST_OF_OTHER_SCHEMES
