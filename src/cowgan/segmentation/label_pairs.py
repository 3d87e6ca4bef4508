"""Pairs of predicted and true label maps in files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cowgan.anatomy.label_schemes import LabelScheme
from cowgan.data.scans import find_label_maps
from cowgan.errors import CowganError
from cowgan.progress import Progress, advance
from cowgan.segmentation.circle_variants import CircleMatch, compare_circles
from cowgan.segmentation.metrics import ArteryScore, score
from cowgan.text import dimensions
from cowgan.volume import OpenedImage, open_image

_MOST_APART_VOXELS = 0.1
"""Distance of corresponding corners at which two maps no longer lie in the same place."""


@dataclass(frozen=True)
class LabelPair:
    """A predicted and a true label map of one case.

    Parameters
    ----------
    case : str
        Case name.
    predicted, truth : Path
        The files.
    """

    case: str
    predicted: Path
    truth: Path


@dataclass(frozen=True)
class ScoredPair:
    """The metrics of a pair.

    Parameters
    ----------
    rows : list of ArteryScore
        As `cowgan.segmentation.metrics.score` returns them.
    circles : list of CircleMatch
        As `cowgan.segmentation.circle_variants.compare_circles` returns them.
    remarks : tuple of (str, str)
        What is ambiguous about the files: name of a file, and a sentence.
    """

    rows: list[ArteryScore]
    circles: list[CircleMatch]
    remarks: tuple[tuple[str, str], ...]


def find_pairs(predicted: Path, truth: Path) -> list[LabelPair]:
    """Pair predicted with true label maps.

    Parameters
    ----------
    predicted, truth : Path
        Two folders, whose images are paired by case name, or two images, whatever their names.

    Returns
    -------
    list of LabelPair
        Sorted by case name.

    Raises
    ------
    CowganError
        A path does not exist, a folder has no image, or an image has no counterpart.
    """
    predictions, truths = find_label_maps([predicted]), find_label_maps([truth])
    if predicted.is_dir() != truth.is_dir():
        raise CowganError("Give two folders of label maps, or two label maps.")
    if not truth.is_dir():
        (case,) = truths
        return [LabelPair(case, predicted, truth)]
    for one, others, folder in ((predictions, truths, truth), (truths, predictions, predicted)):
        alone = [name for name in one if name not in others]
        if alone:
            more = f", nor for {len(alone) - 1} others" if alone[1:] else ""
            raise CowganError(
                f"{folder} has no label map for {alone[0]}{more}; predicted and true label maps "
                "need the same names."
            )
    return [LabelPair(case, path, truths[case]) for case, path in predictions.items()]


def score_pair(pair: LabelPair, scheme: LabelScheme) -> ScoredPair:
    """Compare a predicted label map with the true one.

    Raises
    ------
    CowganError
        A file is no label map of the scheme, or the two do not lie on the same grid.
    """
    predicted, truth = open_image(pair.predicted), open_image(pair.truth)
    for image in (predicted, truth):
        require_labels(image, scheme)
    require_one_grid(pair.case, ("prediction", predicted), ("truth", truth))
    remarks = [(image.path.name, text) for image in (predicted, truth) for text in image.remarks]
    maps = predicted.labels(), truth.labels()
    rows = score(*maps, scheme, truth.spacing_mm)
    return ScoredPair(rows, compare_circles(*maps, scheme), tuple(remarks))


def score_pairs(
    pairs: Sequence[LabelPair], scheme: LabelScheme, progress: Progress
) -> dict[str, ScoredPair]:
    """Return `score_pair` of each pair by case name."""
    scored = {}
    for done, pair in enumerate(pairs):
        advance(progress, done, len(pairs), pair.case)
        scored[pair.case] = score_pair(pair, scheme)
    advance(progress, len(pairs), len(pairs))
    return scored


def require_labels(image: OpenedImage, scheme: LabelScheme) -> None:
    """Raise `CowganError` unless an image is a label map of a scheme."""
    try:
        scheme.require(image.labels())
    except CowganError as error:
        name = image.path.name
        # An empty or odd label map may look like an image, so that is no reason to refuse one.
        if image.content == "image":
            raise CowganError(f"{name} is an image and no label map.", error.sentence) from error
        if name in error.sentence:
            raise
        raise CowganError(f"{name}: {error.sentence}", error.detail) from error


def require_one_grid(
    case: str, one: tuple[str, OpenedImage], other: tuple[str, OpenedImage]
) -> None:
    """Raise `CowganError` unless two images, given with what they are, lie on one grid."""
    (name, image), (other_name, other_image) = one, other
    both = f"The {name} and the {other_name} of {case}"
    shapes = image.turned.shape, other_image.turned.shape
    if shapes[0] != shapes[1]:
        raise CowganError(
            f"{both} differ in size: {dimensions(shapes[0])} and {dimensions(shapes[1])} voxels "
            "(z, x, y); resample one to the grid of the other."
        )
    if not np.allclose(image.spacing_mm, other_image.spacing_mm, rtol=1e-3, atol=0):
        sizes = [dimensions(each.spacing_mm, ".4g") for each in (image, other_image)]
        raise CowganError(
            f"{both} differ in voxel size: {sizes[0]} and {sizes[1]} mm (z, x, y); resample one "
            "to the grid of the other."
        )
    nz, nx, ny = shapes[0]
    corners = np.array([[*index, 1] for index in np.ndindex(2, 2, 2)]) * [nx, ny, nz, 1]
    apart_mm = np.linalg.norm(corners @ (image.affine - other_image.affine).T, axis=1).max()
    if apart_mm > _MOST_APART_VOXELS * min(other_image.spacing_mm):
        raise CowganError(
            f"{both} lie up to {apart_mm:.3g} mm apart by their headers; resample one to the grid "
            "of the other."
        )
