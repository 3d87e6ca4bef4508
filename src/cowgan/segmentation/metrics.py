"""Metrics of a label map against the true one, artery by artery."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cowgan.anatomy.label_schemes import LabelScheme
from cowgan.errors import CowganError
from cowgan.measure.overlap import centreline_dice, dice
from cowgan.measure.topology import topology
from cowgan.segmentation.average_distances import average_hausdorff
from cowgan.segmentation.small_arteries import SMALL_ARTERIES, DetectionOutcome, detection
from cowgan.segmentation.surfaces import surface_distances
from cowgan.text import dimensions

ALL = "all"
"""Name of all arteries together, as one mask."""


@dataclass(frozen=True)
class ArteryScore:
    """The metrics of one artery; all are None if it is neither predicted nor there.

    Parameters
    ----------
    artery : str
        Name in the label scheme, or `ALL`.
    value : int or None
        Label in the scheme; None for all arteries together.
    dice, cldice : float
        From 0 to 1; 0 if the artery is missing from one of the maps.
    hd95_mm, hd_mm : float
        95th percentile and maximum of the Hausdorff distance; 90 mm if the artery is missing from
        one of the maps.
    surface_dice : float
        Share of both surfaces that is within 1 mm of the other; 0 if the artery is missing from
        one of the maps.
    volume_error_mm3 : float
        Predicted minus true volume.
    betti0_error, betti1_error : int
        Absolute difference in the number of connected components, and of loops.
    detection : str
        Of a small artery: detected (``"TP"``), missed (``"FN"``), made up (``"FP"``), or rightly
        absent (``"TN"``); None for the others.
    average_hausdorff_voxels, balanced_average_hausdorff_voxels : float
        Of all voxels; None if the artery is missing from one of the maps. See
        `cowgan.segmentation.average_distances`.
    predicted_voxels, true_voxels : int
        Number of voxels in either map.
    """

    artery: str
    value: int | None
    dice: float | None = None
    cldice: float | None = None
    hd95_mm: float | None = None
    hd_mm: float | None = None
    surface_dice: float | None = None
    volume_error_mm3: float | None = None
    betti0_error: int | None = None
    betti1_error: int | None = None
    detection: DetectionOutcome | None = None
    average_hausdorff_voxels: float | None = None
    balanced_average_hausdorff_voxels: float | None = None
    predicted_voxels: int | None = None
    true_voxels: int | None = None


def score(
    predicted: NDArray[Any],
    truth: NDArray[Any],
    scheme: LabelScheme,
    spacing_mm: tuple[float, float, float],
) -> list[ArteryScore]:
    """Compare a label map with the true one, by the definitions of TopCoW's evaluation.

    Parameters
    ----------
    predicted, truth : ndarray of int, shape (z, x, y)
        Label maps of the scheme on one grid.
    scheme : LabelScheme
        Meaning of the labels.
    spacing_mm : tuple of float
        Voxel size along (z, x, y).

    Returns
    -------
    list of ArteryScore
        All arteries together as one mask, then each artery of the scheme. If both maps are empty,
        the metrics of the former are 0, as in TopCoW: a Dice of 0 beside a distance of 0.

    Raises
    ------
    CowganError
        The shapes differ, or a label is not one of the scheme.

    Notes
    -----
    Dice, clDice (of all arteries together), Hausdorff distances and Betti-0 errors equal those of
    TopCoW_Eval_Metrics, and so does the detection of small arteries.
    """
    if predicted.shape != truth.shape:
        raise CowganError(
            f"The prediction has {dimensions(predicted.shape)} voxels and the truth "
            f"{dimensions(truth.shape)}; compare label maps on the same grid."
        )
    for labels in (predicted, truth):
        scheme.require(labels)
    rows = [_score(ALL, None, predicted > 0, truth > 0, spacing_mm)]
    for value, artery in scheme.labels.items():
        masks = predicted == value, truth == value
        if any(mask.any() for mask in masks):
            rows.append(_score(artery, value, *masks, spacing_mm))
        else:
            rows.append(ArteryScore(artery, value, detection=_detection(artery, *masks)))
    return rows


def mean_over_arteries(rows: Iterable[ArteryScore], metric: str) -> float:
    """Return the mean of a metric over the arteries that are predicted or there.

    It is 0 if there is none, as in TopCoW.
    """
    values = [getattr(row, metric) for row in rows if row.artery != ALL]
    present = [value for value in values if value is not None]
    return float(np.mean(present)) if present else 0.0


def _score(
    artery: str,
    value: int | None,
    predicted: NDArray[np.bool_],
    truth: NDArray[np.bool_],
    spacing_mm: tuple[float, float, float],
) -> ArteryScore:
    distances = surface_distances(predicted, truth, spacing_mm)
    average = average_hausdorff(predicted, truth)
    predicted_voxels, true_voxels = int(predicted.sum()), int(truth.sum())
    betti, true_betti = topology(predicted), topology(truth)
    return ArteryScore(
        artery,
        value,
        dice=dice(predicted, truth),
        cldice=centreline_dice(predicted, truth),
        hd95_mm=distances.hausdorff_mm(95),
        hd_mm=distances.hausdorff_mm(),
        surface_dice=distances.surface_dice(),
        volume_error_mm3=(predicted_voxels - true_voxels) * float(np.prod(spacing_mm)),
        betti0_error=abs(betti.components - true_betti.components),
        betti1_error=abs(betti.loops - true_betti.loops),
        detection=_detection(artery, predicted, truth),
        average_hausdorff_voxels=average.plain if average else None,
        balanced_average_hausdorff_voxels=average.balanced if average else None,
        predicted_voxels=predicted_voxels,
        true_voxels=true_voxels,
    )


def _detection(
    artery: str, predicted: NDArray[np.bool_], truth: NDArray[np.bool_]
) -> DetectionOutcome | None:
    return detection(predicted, truth) if artery in SMALL_ARTERIES else None
