"""Images with label maps to train and test segmentation on, from folders or from a bank."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cowgan.anatomy.label_schemes import LabelScheme
from cowgan.bank.bank import Bank
from cowgan.bank.split import Side
from cowgan.data.image_pairs import OpenedPair, find_image_pairs
from cowgan.data.label_maps import labels_on_grid
from cowgan.errors import CowganError
from cowgan.progress import Progress, Silent, advance
from cowgan.volume import DEFAULT_SPACING_MM, Volume, default_affine
from cowgan.volume.intensity import rescale
from cowgan.volume.resampling import Grid, grid_of_spacing, resample

_SAME_SPACING = 1e-3


@dataclass(frozen=True, eq=False)
class LabelledCase:
    """An image and the labels of its arteries.

    Parameters
    ----------
    name, subject : str
        Name of the case, and the person.
    image : ndarray, shape (z, x, y), float16
        Intensities from 0 to 1.
    labels : ndarray, shape (z, x, y), uint8
        Label map.
    """

    name: str
    subject: str
    image: NDArray[np.float16]
    labels: NDArray[np.uint8]

    @cached_property
    def present(self) -> frozenset[int]:
        """The labels that occur, without background."""
        return frozenset(np.unique(self.labels).tolist()) - {0}


@dataclass(frozen=True, eq=False)
class LabelledCases:
    """Cases with labels of one scheme and one voxel size.

    Parameters
    ----------
    cases : sequence of LabelledCase
        At least one.
    scheme : LabelScheme
        Meaning of the labels.
    spacing_mm : tuple of float
        Voxel size along (z, x, y).
    """

    cases: Sequence[LabelledCase]
    scheme: LabelScheme
    spacing_mm: tuple[float, float, float]

    def __len__(self) -> int:
        return len(self.cases)

    @property
    def extent_mm(self) -> list[float]:
        """Largest size of an image along (z, x, y)."""
        largest = (max(sizes) for sizes in zip(*(c.image.shape for c in self.cases), strict=True))
        return [n * size for n, size in zip(largest, self.spacing_mm, strict=True)]

    @cached_property
    def sha256(self) -> str:
        """Hash of all that training depends on."""
        digest = hashlib.sha256(repr((self.scheme.name, self.spacing_mm)).encode())
        for case in self.cases:
            digest.update(repr((case.name, case.subject, case.image.shape)).encode())
            digest.update(np.ascontiguousarray(case.image).data)
            digest.update(np.ascontiguousarray(case.labels).data)
        return digest.hexdigest()

    def of_subjects(self, subjects: Iterable[str]) -> "LabelledCases":
        """Return the cases of some subjects."""
        wanted = frozenset(subjects)
        kept = [case for case in self.cases if case.subject in wanted]
        return LabelledCases(kept, self.scheme, self.spacing_mm)


def read_folders(
    images: Path,
    labels: Path,
    scheme: LabelScheme,
    spacing_mm: tuple[float, float, float] = DEFAULT_SPACING_MM,
    progress: Progress | None = None,
) -> LabelledCases:
    """Read images and label maps with the same names.

    Both are brought to one voxel size. Intensities are scaled between percentiles 0.1 and 99.9.

    Parameters
    ----------
    images, labels : Path
        Folders, searched to any depth; of two files of one name, the folder's own counts.
    scheme : LabelScheme
        Meaning of the labels.
    spacing_mm : tuple of float
        Voxel size along (z, x, y) to which cases are brought.
    progress : Progress, optional
        Updated after every case.

    Raises
    ------
    CowganError
        A file has no counterpart, an image and its label map do not lie on one grid, a label is
        not one of the scheme, or a label map is empty.
    Cancelled
        The user cancelled.
    """
    progress = progress or Silent()
    pairs = find_image_pairs(images, labels)
    cases: list[LabelledCase] = []
    for pair in pairs:
        advance(progress, len(cases), len(pairs), pair.name)
        cases.append(_at_spacing(pair.open(scheme), pair.subject, spacing_mm))
    advance(progress, len(cases), len(pairs))
    return LabelledCases(cases, scheme, spacing_mm)


def of_bank(bank: Bank, side: Side = "training") -> LabelledCases:
    """Return the labelled volumes on one side of a bank's split.

    Raises
    ------
    CowganError
        The bank has no labels, or nothing on that side.
    """
    scheme = scheme_of(bank)
    indices = bank.training if side == "training" else bank.holdout
    if not len(indices):
        raise CowganError(f"The bank {bank.path} has no volume for {side}.")
    cases = [
        LabelledCase(
            f"{bank.cases[i].name}_{bank.cases[i].copy}",
            bank.cases[i].subject,
            bank.read([i])[0, 0].astype(np.float16),
            bank.read_labels([i])[0],
        )
        for i in indices
    ]
    return LabelledCases(cases, scheme, bank.spacing_mm)


def scheme_of(bank: Bank) -> LabelScheme:
    """Return the scheme of a bank's labels; raises `CowganError` if it has none."""
    if bank.label_scheme is None:
        raise CowganError(
            f"The bank {bank.path} has no labels; make one of anatomies that have them with "
            "cowgan simulate-bank, or of scans with cowgan build-bank --labels."
        )
    return bank.label_scheme


def at_spacing(volume: Volume, spacing_mm: tuple[float, float, float]) -> Volume:
    """Return a volume at a voxel size, itself if it has that already."""
    if np.allclose(volume.spacing_mm, spacing_mm, rtol=_SAME_SPACING, atol=0):
        return volume
    grid = grid_of_spacing(volume, spacing_mm)
    return Volume(resample(volume, grid).data, grid.affine, volume.provenance)


def as_volume(image: NDArray[np.float16], spacing_mm: tuple[float, float, float]) -> Volume:
    """Return the image of a case as a volume centred on the origin."""
    return Volume(image.astype(np.float32), default_affine(image.shape, spacing_mm))


def _at_spacing(
    opened: OpenedPair, subject: str, spacing_mm: tuple[float, float, float]
) -> LabelledCase:
    volume, labels = at_spacing(opened.volume, spacing_mm), opened.labels
    if volume is not opened.volume:
        labels = labels_on_grid(labels, opened.volume.affine, Grid(volume.shape, volume.affine))
    image = rescale(volume.data).astype(np.float16)
    return LabelledCase(opened.name, subject, image, labels)
