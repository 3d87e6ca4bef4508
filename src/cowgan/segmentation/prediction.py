"""Segmentation of many scans into a folder of label maps with a manifest."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cowgan.data.scans import Case
from cowgan.errors import Cancelled, CowganError
from cowgan.progress import Progress, Silent, advance
from cowgan.segmentation.around_circle import segment_around_circle
from cowgan.segmentation.segmenter import ArterySegmenter, Segmentation
from cowgan.tables import write_table
from cowgan.volume import OpenedImage, Volume, open_image, write_labels, write_nifti

MANIFEST = "manifest.csv"
SET_ASIDE = "set_aside"
"""Folder of label maps about which the members of an ensemble disagree."""


@dataclass(frozen=True)
class PredictionOptions:
    """What is written beside label maps, and which are set aside.

    Parameters
    ----------
    uncertainty, probabilities : bool
        Also write ``NAME_uncertainty.nii.gz``, or ``NAME_ARTERY_probability.nii.gz`` of every
        artery.
    least_agreement : float
        Label maps of an ensemble that agrees less go to the folder ``set_aside``.
    whole_scan : bool
        Segment all of a large scan, rather than the surroundings of the Circle of Willis.
    overwrite : bool
        Whether label maps of an earlier prediction may be replaced.
    """

    uncertainty: bool = False
    probabilities: bool = False
    least_agreement: float = 0.0
    whole_scan: bool = False
    overwrite: bool = False


@dataclass(frozen=True)
class Predicted:
    """One row of the manifest.

    Parameters
    ----------
    case : str
        Case name.
    file : str
        Label map below the folder; empty after an error.
    vessel_mm3 : float or None
        Volume of all arteries.
    agreement : float or None
        See `Segmentation`.
    remarks : str
        What is ambiguous about the scan, and doubtful about the result.
    error : str
        Why the scan could not be segmented.
    """

    case: str
    file: str = ""
    vessel_mm3: float | None = None
    agreement: float | None = None
    remarks: str = ""
    error: str = ""


def predict(
    cases: Sequence[Case],
    segmenter: ArterySegmenter,
    folder: Path,
    options: PredictionOptions | None = None,
    progress: Progress | None = None,
) -> list[Predicted]:
    """Write a label map ``NAME_dseg.nii.gz`` of every scan, on its own grid and with its axes.

    Parameters
    ----------
    cases : sequence of Case
        See `cowgan.data.scans.find_scans`.
    segmenter : ArterySegmenter
        Finds the arteries.
    folder : Path
        Created if needed.
    options : PredictionOptions, optional
        What else is written.
    progress : Progress, optional
        Updated after every scan.

    Returns
    -------
    list of Predicted
        The rows of ``manifest.csv``. A scan that cannot be read or segmented has an error, and
        does not stop the others.

    Raises
    ------
    CowganError
        A label map exists already, or the folder cannot be written.
    Cancelled
        The user cancelled; the label maps that are complete stay, with their rows.
    """
    options, progress = options or PredictionOptions(), progress or Silent()
    for case in cases:
        target = _target(folder, case)
        if target.exists() and not options.overwrite:
            raise CowganError(
                f"{target.name} exists already in {folder}; choose another folder, or allow "
                "overwriting."
            )
    rows: list[Predicted] = []
    try:
        for case in cases:
            advance(progress, len(rows), len(cases), case.name)
            rows.append(_predict(case, segmenter, folder, options))
    finally:
        columns = [field.name for field in fields(Predicted)]
        write_table(folder / MANIFEST, columns, [asdict(row) for row in rows])
    advance(progress, len(rows), len(cases))
    return rows


def _predict(
    case: Case, segmenter: ArterySegmenter, folder: Path, options: PredictionOptions
) -> Predicted:
    try:
        image = open_image(case.path)
        volume = image.volume()
        segment = partial(segmenter, keep_probabilities=options.probabilities)
        found = (
            segment(volume)
            if options.whole_scan
            else segment_around_circle(segment, volume, segmenter.extent_mm)
        )
    except Cancelled:
        raise
    except CowganError as error:
        named = case.path.name in error.sentence
        text = error.sentence if named else f"{case.path.name}: {error.sentence}"
        return Predicted(case.name, error=text)
    doubted = found.agreement is not None and found.agreement < options.least_agreement
    target = _target(folder / SET_ASIDE if doubted else folder, case)
    _write(image, volume, found, segmenter, target)
    if options.uncertainty:
        _write_map(volume, found.uncertainty, target, "uncertainty")
    if found.probabilities is not None:
        names = [segmenter.scheme.labels[value] for value in segmenter.classes.values]
        for name, one in zip(names, found.probabilities[1:], strict=True):
            _write_map(volume, one.astype(np.float32), target, f"{name}_probability")
    vessel_mm3 = float(np.count_nonzero(found.labels)) * float(np.prod(volume.spacing_mm))
    remarks = " ".join([*volume.remarks, *found.remarks])
    file = target.relative_to(folder).as_posix()
    return Predicted(case.name, file, vessel_mm3, found.agreement, remarks)


def segmentation_provenance(
    volume: Volume, found: Segmentation, segmenter: ArterySegmenter
) -> dict[str, Any]:
    """Return the provenance of a label map: that of its volume, the scheme and the networks."""
    return {
        **volume.provenance,
        "labels": found.scheme.name,
        "segmentation": {
            "models": segmenter.records,
            "agreement": found.agreement,
        },
    }


def _target(folder: Path, case: Case) -> Path:
    return folder / f"{case.name}_dseg.nii.gz"


def _write(
    image: OpenedImage,
    volume: Volume,
    found: Segmentation,
    segmenter: ArterySegmenter,
    target: Path,
) -> None:
    provenance = segmentation_provenance(volume, found, segmenter)
    write_labels(
        found.labels, volume.affine, target, provenance, stored_affine=image.stored.affine_mm
    )


def _write_map(
    volume: Volume, data: np.ndarray[tuple[int, ...], np.dtype[np.float32]], target: Path, what: str
) -> None:
    name = target.name.replace("_dseg.nii.gz", f"_{what}.nii.gz").replace(" ", "-")
    write_nifti(Volume(data, volume.affine, volume.provenance), target.with_name(name))
