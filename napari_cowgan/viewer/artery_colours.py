"""Colours and names of the arteries in a label map."""

from collections.abc import Collection, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cowgan.anatomy.arteries import Artery
from cowgan.anatomy.label_colours import label_colours
from cowgan.anatomy.label_schemes import TOPCOW_2024

FEATURE = "artery"
"""Feature column that holds the names, which napari shows under the pointer."""

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
    return f"{artery.abbreviation}, {artery.full_name}"


def colour_table(hidden: Collection[Artery] = ()) -> dict[int | None, str]:
    """Return the colour of each label value; ``None`` stands for all others."""
    table: dict[int | None, str] = {None: UNKNOWN_COLOUR, 0: "transparent"}
    for artery, colour in COLOURS.items():
        table[artery.value] = "transparent" if artery in hidden else colour
    return table


def features(values: Iterable[int]) -> dict[str, list[Any]]:
    """Return the layer features from which napari names the label under the pointer.

    Parameters
    ----------
    values : iterable of int
        Label values of the map; those that are no artery are called unknown.
    """
    names: dict[int, str | None] = {0: None}
    names |= {artery.value: name_of(artery) for artery in Artery}
    names |= {value: "unknown label" for value in values if value not in names}
    return {"index": list(names), FEATURE: list(names.values())}


def label_values(labels: NDArray[np.integer[Any]]) -> list[int]:
    """Return the values other than 0 that occur in a label map, in ascending order."""
    counts = np.bincount(np.asarray(labels, dtype=np.uint8).ravel(), minlength=256)
    return [int(value) for value in np.flatnonzero(counts) if value]


def central_voxel(labels: NDArray[np.integer[Any]], artery: Artery) -> NDArray[np.intp] | None:
    """Return the index of the voxel of an artery nearest to its centroid.

    None if the map lacks the artery.
    """
    voxels = np.argwhere(labels == artery.value)
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
