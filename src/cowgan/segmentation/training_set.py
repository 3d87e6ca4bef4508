"""A folder of images with label maps that grows by one case at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cowgan.anatomy.label_schemes import LabelScheme, scheme_named
from cowgan.data.case_names import case_name
from cowgan.data.image_pairs import ImagePair, find_image_pairs
from cowgan.data.label_maps import require_labels
from cowgan.errors import CowganError
from cowgan.volume import Volume, open_image, sidecar_path, write_labels, write_nifti
from cowgan.volume.sidecar import open_sidecar

IMAGES, LABELS = "images", "labels"
"""Folders in a training set, as ``cowgan segment train`` takes them."""

_SUFFIX = ".nii.gz"
_SAME_PLACE_MM = 1e-3


@dataclass(frozen=True)
class TrainingSet:
    """What a training set holds.

    Parameters
    ----------
    folder : Path
        Its folder, which need not exist.
    pairs : sequence of ImagePair
        Its cases.
    scheme : LabelScheme or None
        Meaning of the labels, as the sidecars of label maps name it; None if none does.
    """

    folder: Path
    pairs: Sequence[ImagePair]
    scheme: LabelScheme | None

    def __contains__(self, name: str) -> bool:
        """Whether a case has that name; many file systems ignore case."""
        return name.casefold() in {pair.name.casefold() for pair in self.pairs}

    def __len__(self) -> int:
        return len(self.pairs)


def open_training_set(folder: Path) -> TrainingSet:
    """Look into the folder of a training set.

    Parameters
    ----------
    folder : Path
        A folder without images, or none at all, is an empty training set.

    Raises
    ------
    CowganError
        An image has no label map, or label maps name different schemes.
    """
    if not _has_files(folder / IMAGES):
        return TrainingSet(folder, (), None)
    pairs = find_image_pairs(folder / IMAGES, folder / LABELS)
    named = {scheme.name: scheme for pair in pairs if (scheme := _named_scheme(pair))}
    if len(named) > 1:
        raise CowganError(
            f"The label maps in {folder / LABELS} are of different label schemes: "
            f"{' and '.join(sorted(named))}."
        )
    return TrainingSet(folder, pairs, next(iter(named.values()), None))


def add_case(
    folder: Path,
    name: str,
    volume: Volume,
    labels: NDArray[np.uint8],
    scheme: LabelScheme,
    affine: NDArray[np.float64],
    provenance: dict[str, Any],
    *,
    replace: bool = False,
) -> TrainingSet:
    """Write an image and its label map to a training set.

    Parameters
    ----------
    folder : Path
        Of the training set; created if needed.
    name : str
        Name of the case; characters that are unsafe in file names become ``_``.
    volume : Volume
        The image.
    labels : ndarray, shape (z, x, y), uint8
        Its label map.
    scheme : LabelScheme
        Meaning of the labels.
    affine : ndarray, shape (4, 4)
        Of the label map.
    provenance : dict
        Of the label map.
    replace : bool
        Whether a case of the name may be replaced.

    Returns
    -------
    TrainingSet
        What the training set holds now.

    Raises
    ------
    CowganError
        The two do not lie on one grid, the label map is empty or has labels that are not of the
        scheme, the training set has another scheme or a case of the name, or cannot be read or
        written.
    """
    name = case_name(name)
    if labels.shape != volume.shape or not np.allclose(affine, volume.affine, atol=_SAME_PLACE_MM):
        raise CowganError(
            "The scan and the label map do not lie on one grid, so they cannot be a training case."
        )
    if not labels.any():
        raise CowganError("The label map is empty, so nothing can be learned from it.")
    scheme.require(labels)
    present = open_training_set(folder)
    if name in present and not replace:
        raise CowganError(f"{folder} holds a case {name} already; choose another name.")
    _require_scheme(present, scheme)
    # First the label map, since one without an image is ignored.
    write_labels(labels, affine, folder / LABELS / f"{name}{_SUFFIX}", provenance)
    write_nifti(volume, folder / IMAGES / f"{name}{_SUFFIX}")
    return open_training_set(folder)


def _has_files(folder: Path) -> bool:
    try:
        return any(folder.iterdir())
    except OSError:
        return False


def _require_scheme(present: TrainingSet, scheme: LabelScheme) -> None:
    if present.scheme is None:
        for pair in present.pairs:
            require_labels(open_image(pair.labels), scheme)
    elif present.scheme is not scheme:
        raise CowganError(
            f"The training set {present.folder} has labels of {present.scheme.name}, and this "
            f"label map those of {scheme.name}; choose another folder."
        )


def _named_scheme(pair: ImagePair) -> LabelScheme | None:
    path = sidecar_path(pair.labels)
    try:
        return scheme_named(open_sidecar(path).provenance.get("labels"))
    except CowganError:
        # Label maps of other programs have none, or one of their own.
        return None
