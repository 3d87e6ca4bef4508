"""Pairs of predicted and true label maps in files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cowgan.anatomy.label_schemes import LabelScheme
from cowgan.data.label_maps import require_labels, require_one_grid
from cowgan.data.scans import find_label_maps
from cowgan.errors import CowganError
from cowgan.progress import Progress, advance
from cowgan.segmentation.circle_variants import CircleMatch, compare_circles
from cowgan.segmentation.metrics import ArteryScore, score
from cowgan.volume import open_image


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
