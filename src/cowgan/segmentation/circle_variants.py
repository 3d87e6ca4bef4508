"""Variants of the Circle of Willis in label maps, and whether a prediction has the true one."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, find_objects, generate_binary_structure, label

from cowgan.anatomy.arteries import Artery
from cowgan.anatomy.label_schemes import (
    TOPCOW_2023,
    TOPCOW_2023_TO_2024,
    TOPCOW_2024,
    LabelScheme,
)
from cowgan.segmentation.small_arteries import detection

Circulation = Literal["anterior", "posterior"]

_ARTERIES = {
    "anterior": (Artery.ACOM, Artery.R_ACA, Artery.L_ACA, Artery.THIRD_A2),
    "posterior": (Artery.R_PCA, Artery.L_PCA, Artery.R_PCOM, Artery.L_PCOM),
}
_PAIRS = {
    "anterior": ((Artery.L_ICA, Artery.R_ICA), (Artery.L_ACA, Artery.R_ACA)),
    "posterior": ((Artery.L_PCA, Artery.R_PCA),),
}
"""Left and right arteries that show swapped sides; the first pair that is there counts."""

_NEIGHBOURS = generate_binary_structure(3, 3)


@dataclass(frozen=True)
class CircleMatch:
    """Whether a prediction has the true circle.

    Parameters
    ----------
    circulation : {"anterior", "posterior"}
        Part of the circle.
    true_variant : tuple of bool
        See `variant`.
    variant_match, topology_match : bool
        Whether the prediction has the same variant, and the same topology; see `topology_matches`.
    """

    circulation: Circulation
    true_variant: tuple[bool, ...]
    variant_match: bool
    topology_match: bool


def compare_circles(
    predicted: NDArray[np.integer[Any]], truth: NDArray[np.integer[Any]], scheme: LabelScheme
) -> list[CircleMatch]:
    """Compare both circulations of a label map with the true ones.

    Parameters
    ----------
    predicted, truth : ndarray of int, shape (z, x, y)
        Label maps of the scheme on one grid.
    scheme : LabelScheme
        Meaning of the labels.

    Returns
    -------
    list of CircleMatch
        Empty for schemes other than those of TopCoW, in which variants cannot be told.
    """
    if scheme is TOPCOW_2023:
        predicted, truth = (TOPCOW_2023_TO_2024.apply(labels) for labels in (predicted, truth))
    elif scheme is not TOPCOW_2024:
        return []
    return [
        CircleMatch(
            circulation,
            true := variant(truth, circulation),
            variant(predicted, circulation) == true,
            topology_matches(predicted, truth, circulation),
        )
        for circulation in get_args(Circulation)
    ]


def variant(
    labels: NDArray[np.integer[Any]], circulation: Circulation
) -> tuple[bool, bool, bool, bool]:
    """Return which segments of a circulation are there.

    Parameters
    ----------
    labels : ndarray of int, shape (z, x, y)
        Label map of TopCoW 2024.
    circulation : {"anterior", "posterior"}
        Which arteries are considered.

    Returns
    -------
    tuple of bool
        Left A1, anterior communicating artery, third A2, right A1; or left posterior communicating
        artery, left P1, right P1, right posterior communicating artery. An A1 is there if the ACA
        touches the ICA of its side, a P1 if the PCA touches the basilar artery, and the others if
        they have a voxel.
    """
    if circulation == "anterior":
        return (
            Artery.L_ICA in touching(labels, Artery.L_ACA),
            bool((labels == Artery.ACOM).any()),
            bool((labels == Artery.THIRD_A2).any()),
            Artery.R_ICA in touching(labels, Artery.R_ACA),
        )
    return (
        bool((labels == Artery.L_PCOM).any()),
        Artery.BA in touching(labels, Artery.L_PCA),
        Artery.BA in touching(labels, Artery.R_PCA),
        bool((labels == Artery.R_PCOM).any()),
    )


def touching(labels: NDArray[np.integer[Any]], artery: Artery) -> set[int]:
    """Return the labels of the arteries that an artery touches, by 26-connectivity."""
    mask = labels == artery
    if not mask.any():
        return set()
    (box,) = find_objects(mask.view(np.uint8))
    box = tuple(slice(max(axis.start - 1, 0), axis.stop + 1) for axis in box)
    around = binary_dilation(mask[box], _NEIGHBOURS)
    return set(np.unique(labels[box][around]).tolist()) - {0, int(artery)}


def topology_matches(
    predicted: NDArray[np.integer[Any]], truth: NDArray[np.integer[Any]], circulation: Circulation
) -> bool:
    """Return whether a prediction has the true topology, as in TopCoW.

    Every artery of the circulation must be detected or rightly absent, touch the same arteries and
    have the same number of components, and the sides must not be swapped.

    Parameters
    ----------
    predicted, truth : ndarray of int, shape (z, x, y)
        Label maps of TopCoW 2024 on one grid.
    circulation : {"anterior", "posterior"}
        Which arteries are considered.
    """
    return not _sides_swapped(predicted, circulation) and all(
        detection(predicted == artery, truth == artery) in ("TP", "TN")
        and touching(predicted, artery) == touching(truth, artery)
        and _components(predicted == artery) == _components(truth == artery)
        for artery in _ARTERIES[circulation]
    )


def balanced_accuracy(variants: Sequence[tuple[bool, ...]], matches: Iterable[bool]) -> float:
    """Return the share of matches in each true variant, averaged over variants.

    Parameters
    ----------
    variants : sequence of tuple of bool
        The true variant of each case; see `variant`.
    matches : iterable of bool
        Whether the prediction of each case matches.
    """
    by_variant: dict[tuple[bool, ...], list[bool]] = {}
    for true, match in zip(variants, matches, strict=True):
        by_variant.setdefault(true, []).append(match)
    return float(np.mean([np.mean(of_one) for of_one in by_variant.values()]))


def _components(mask: NDArray[np.bool_]) -> int:
    return int(label(mask, _NEIGHBOURS)[1])


def _sides_swapped(labels: NDArray[np.integer[Any]], circulation: Circulation) -> bool:
    for left, right in _PAIRS[circulation]:
        x_left, x_right = (np.nonzero(labels == artery)[1] for artery in (left, right))
        if len(x_left) and len(x_right):
            return bool(np.median(x_left) < np.median(x_right))
    return False
