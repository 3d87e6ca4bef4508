"""Labelled images as a dataset of nnU-Net v2 (Isensee et al. 2021)."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cowgan.anatomy.label_schemes import LABEL_SCHEMES, LabelScheme
from cowgan.bank.bank import Bank
from cowgan.data.image_pairs import OpenedPair
from cowgan.errors import CowganError
from cowgan.files import write_json
from cowgan.folders import folder_in_the_making
from cowgan.progress import Progress, Silent, advance
from cowgan.segmentation.classes import Classes
from cowgan.volume import write_labels, write_nifti

RAW_FOLDER, PREPROCESSED_FOLDER = "nnUNet_raw", "nnUNet_preprocessed"
SPLITS_FILE = "splits_final.json"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,60}")
_VOXEL_BYTES = 5
_CHANNEL = "TOF"
"""nnU-Net scales intensities by their standard deviation unless the channel is called CT."""


class LabelledSource(Protocol):
    """An image with its label map that can be opened."""

    @property
    def name(self) -> str:
        """Case name."""

    @property
    def subject(self) -> str:
        """The person."""

    def open(self, scheme: LabelScheme) -> OpenedPair:
        """Return image and label map; raises `CowganError` if they cannot be used."""


@dataclass(frozen=True)
class BankSource:
    """A labelled volume of a bank.

    Parameters
    ----------
    bank : Bank
        A bank with labels.
    index : int
        Place of the volume.
    """

    bank: Bank
    index: int

    @property
    def name(self) -> str:
        """Name and copy of the volume."""
        case = self.bank.cases[self.index]
        return f"{case.name}_{case.copy}"

    @property
    def subject(self) -> str:
        """The person."""
        return self.bank.cases[self.index].subject

    def open(self, scheme: LabelScheme) -> OpenedPair:
        """Return volume and labels."""
        labels = self.bank.read_labels([self.index])[0]
        scheme.require(labels)
        return OpenedPair(self.name, self.bank.volume(self.index), labels)


@dataclass(frozen=True)
class NnunetDataset:
    """Number, name and folds of a dataset.

    Parameters
    ----------
    number : int
        From 1 to 999; nnU-Net finds the dataset by it.
    name : str
        Letters, digits, ``_`` and ``-``.
    folds : int
        Parts of the subjects, of which each validates the network of the others; at least 2.

    Raises
    ------
    CowganError
        A value is out of bounds.
    """

    number: int = 600
    name: str = "CircleOfWillis"
    folds: int = 5

    def __post_init__(self) -> None:
        if not (1 <= self.number <= 999 and _NAME.fullmatch(self.name) and self.folds >= 2):
            raise CowganError(
                "An nnU-Net dataset needs a number from 1 to 999, a name of letters and digits, "
                "and at least 2 folds."
            )

    @property
    def folder_name(self) -> str:
        """Such as ``"Dataset600_CircleOfWillis"``."""
        return f"Dataset{self.number:03d}_{self.name}"


def export_nnunet(
    sources: Sequence[LabelledSource],
    scheme: LabelScheme,
    folder: Path,
    dataset: NnunetDataset | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write labelled images as nnU-Net v2 reads them.

    Parameters
    ----------
    sources : sequence of LabelledSource
        See `cowgan.data.image_pairs.find_image_pairs` and `BankSource`.
    scheme : LabelScheme
        Meaning of the labels. They become consecutive, as nnU-Net needs them, in the order of
        `cowgan.segmentation.classes.Classes`; ``dataset.json`` names them, and lists the values
        of the scheme.
    folder : Path
        Holds ``nnUNet_raw`` and ``nnUNet_preprocessed``, for the variables of these names.
    dataset : NnunetDataset, optional
        Number, name and folds.
    progress : Progress, optional
        Updated after every case.

    Returns
    -------
    Path
        The folder of the dataset in ``nnUNet_raw``. ``splits_final.json``, which keeps all images
        of a subject in one fold, lies where nnU-Net looks for it.

    Raises
    ------
    CowganError
        There are fewer subjects than folds, two cases share a name, a case cannot be used, or the
        dataset exists already.
    Cancelled
        The user cancelled; no files are left behind.
    """
    dataset, progress = dataset or NnunetDataset(), progress or Silent()
    splits = subject_splits(sources, dataset.folds)
    names = [source.name for source in sources]
    if len(set(names)) < len(names):
        raise CowganError("Two cases share a name; nnU-Net needs a name for each.")
    raw = Path(folder) / RAW_FOLDER / dataset.folder_name
    planned = Path(folder) / PREPROCESSED_FOLDER / dataset.folder_name
    if planned.exists():
        raise CowganError(f"{planned} exists already; choose another --number or folder.")
    classes = Classes.of(scheme)
    first = sources[0].open(scheme).volume
    with folder_in_the_making(raw, _VOXEL_BYTES * first.data.size * len(sources)) as part:
        for done, source in enumerate(sources):
            advance(progress, done, len(sources), source.name)
            opened = source.open(scheme)
            write_nifti(opened.volume, part / "imagesTr" / f"{source.name}_0000.nii.gz")
            write_labels(
                classes.of_labels(opened.labels),
                opened.volume.affine,
                part / "labelsTr" / f"{source.name}.nii.gz",
            )
        write_json(part / "dataset.json", dataset_description(scheme, classes, len(sources)))
        advance(progress, len(sources), len(sources))
        planned.mkdir(parents=True)
        write_json(planned / SPLITS_FILE, splits)
    return raw


def subject_splits(sources: Sequence[LabelledSource], folds: int) -> list[dict[str, list[str]]]:
    """Return the names of training and validation cases of each fold, split by subject.

    Raises
    ------
    CowganError
        There are fewer subjects than folds.
    """
    subjects = sorted({source.subject for source in sources}, key=_rank)
    if len(subjects) < folds:
        raise CowganError(
            f"{folds} folds need at least {folds} subjects, and there are {len(subjects)}."
        )
    fold_of = {subject: number % folds for number, subject in enumerate(subjects)}
    return [
        {
            "train": [one.name for one in sources if fold_of[one.subject] != fold],
            "val": [one.name for one in sources if fold_of[one.subject] == fold],
        }
        for fold in range(folds)
    ]


def bank_sources(bank: Bank) -> list[BankSource]:
    """Return the training side of a bank with labels."""
    return [BankSource(bank, int(index)) for index in bank.training]


def dataset_description(scheme: LabelScheme, classes: Classes, count: int) -> dict[str, object]:
    """Return the content of ``dataset.json`` for a number of training cases."""
    named = {scheme.labels[value]: number for number, value in enumerate(classes.values, 1)}
    return {
        "channel_names": {"0": _CHANNEL},
        "labels": {"background": 0, **named},
        "numTraining": count,
        "file_ending": ".nii.gz",
        "label_scheme": next(n for n, one in LABEL_SCHEMES.items() if one is scheme),
        "label_values": [0, *classes.values],
    }


def _rank(subject: str) -> bytes:
    return hashlib.sha256(subject.encode()).digest()
