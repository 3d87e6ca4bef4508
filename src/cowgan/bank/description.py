"""The content of ``bank.json`` and its validation."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from cowgan._version import __version__
from cowgan.anatomy.label_schemes import label_scheme
from cowgan.bank.encoding import VoxelType
from cowgan.bank.split import Side
from cowgan.documents import checked, read_json
from cowgan.errors import CowganError

VOXELS_FILE = "volumes.npy"
LABELS_FILE = "labels.npy"
DESCRIPTION_FILE = "bank.json"
CASES_FILE = "cases.csv"
FORMAT = "cowgan-bank"
FORMAT_VERSION = 1

_HEX_DIGITS = frozenset("0123456789abcdef")
_Row = tuple[float, float, float, float]


@dataclass(frozen=True)
class BankCase:
    """One volume of a bank.

    Parameters
    ----------
    name : str
        Name of the source file or anatomy.
    copy : int
        Number among the volumes made from one anatomy, from 0.
    subject : str
        Subject of the scan.
    split : {"training", "holdout"}
        The same for all volumes of a subject.
    sha256 : str
        SHA-256 of the stored voxels and, if the bank has labels, of those after them.
    affine : ndarray, shape (4, 4), float64
        As in `cowgan.volume.Volume.affine`.
    provenance : dict
        Source files with their SHA-256, intensity scaling, simulation parameters and seeds.
    """

    name: str
    copy: int
    subject: str
    split: Side
    sha256: str
    affine: NDArray[np.float64]
    provenance: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class BankDescription:
    """The description of a bank: everything but its voxels and labels.

    Parameters
    ----------
    shape : tuple of int
        Voxels along (z, x, y) of one volume.
    spacing_mm : tuple of float
        Voxel size along (z, x, y).
    voxel_type : {"uint8", "uint16", "float16"}
        Storage type of intensities.
    cases : sequence of BankCase
        In the order of the volumes.
    origin : dict
        How the bank was made.
    warnings : sequence of str
        Sentences on suspected leakage across the split.
    written_by : str
        Software and version.
    label_scheme : str, optional
        Scheme of the labels, by its name in `cowgan.anatomy.label_schemes.LABEL_SCHEMES`; none if
        the bank has no labels.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    voxel_type: VoxelType
    cases: Sequence[BankCase]
    origin: dict[str, Any] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    written_by: str = f"napari-cowgan {__version__}"
    label_scheme: str | None = None

    @property
    def sha256(self) -> str:
        """Hash of voxels, labels, grid, subjects and split.

        It does not depend on the version or machine that built the bank, and changes with any
        voxel, label, the order or the split.
        """
        seen: dict[str, Any] = {
            "voxel_type": self.voxel_type,
            "shape": self.shape,
            "spacing_mm": self.spacing_mm,
            "cases": [[c.name, c.copy, c.subject, c.split, c.sha256] for c in self.cases],
        }
        if self.label_scheme is not None:
            seen["label_scheme"] = self.label_scheme
        return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """Return the content of ``bank.json``."""
        scale = np.iinfo(self.voxel_type).max if self.voxel_type.startswith("u") else 1
        return {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "written_by": self.written_by,
            "sha256": self.sha256,
            "shape": [len(self.cases), *self.shape],
            "axes": "case, z (to superior), x (to patient left), y (to anterior)",
            "spacing_mm": self.spacing_mm,
            "dtype": self.voxel_type,
            "intensity": {"stored_value_of_1": scale},
            "label_scheme": self.label_scheme,
            "origin": self.origin,
            "warnings": list(self.warnings),
            "cases": [{**vars(c), "affine": c.affine.tolist()} for c in self.cases],
        }


def read_description(folder: Path) -> BankDescription:
    """Read and check ``bank.json``.

    Raises
    ------
    CowganError
        The folder holds no bank, or the bank is damaged or of a newer version.
    """
    path = folder / DESCRIPTION_FILE
    if not path.is_file():
        missing = f"it has no {DESCRIPTION_FILE}" if folder.is_dir() else "there is no such folder"
        raise CowganError(f"{folder} is not a training bank: {missing}.")
    content = read_json(path, object)
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CowganError(f"{path} belongs to another program and not to a training bank.")
    version = content.get("format_version")
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise CowganError(
            f"{folder} was written by a newer version of napari-cowgan; update to read it.",
            f"format version {version}, known {FORMAT_VERSION}",
        )
    return checked(content, _Stored, str(path), other_versions=True).description


@dataclass(frozen=True)
class _StoredCase:
    name: str
    copy: int
    subject: str
    split: Side
    sha256: str
    affine: tuple[_Row, _Row, _Row, _Row]
    provenance: dict[str, Any]

    def __post_init__(self) -> None:
        if self.copy < 0:
            raise CowganError(f"There is no copy {self.copy} of {self.name}.")
        if len(self.sha256) != 64 or not _HEX_DIGITS.issuperset(self.sha256):
            raise CowganError(f"{self.name} has no SHA-256.", repr(self.sha256))


@dataclass(frozen=True)
class _Stored:
    """The fields of ``bank.json`` that are read."""

    format_version: Literal[1]
    written_by: str
    sha256: str
    shape: tuple[int, int, int, int]
    spacing_mm: tuple[float, float, float]
    dtype: VoxelType
    origin: dict[str, Any]
    cases: tuple[_StoredCase, ...]
    warnings: tuple[str, ...] = ()
    label_scheme: str | None = None

    def __post_init__(self) -> None:
        if self.label_scheme is not None:
            label_scheme(self.label_scheme)
        if min(self.shape) < 1 or min(self.spacing_mm) <= 0:
            raise CowganError("A bank needs volumes and a positive voxel size.")
        if len(self.cases) != self.shape[0]:
            raise CowganError(f"{self.shape[0]} volumes have {len(self.cases)} cases.")
        if len({(case.name, case.copy) for case in self.cases}) < len(self.cases):
            raise CowganError("A case is listed twice.")
        sides: dict[str, Side] = {}
        for case in self.cases:
            if sides.setdefault(case.subject, case.split) != case.split:
                raise CowganError(f"Subject {case.subject} is in both splits.")
        if self.description.sha256 != self.sha256:
            raise CowganError("Its hash does not match its content.", self.description.sha256)

    @cached_property
    def description(self) -> BankDescription:
        _, *shape = self.shape
        cases = [BankCase(**{**vars(c), "affine": np.array(c.affine)}) for c in self.cases]
        return BankDescription(
            (shape[0], shape[1], shape[2]),
            self.spacing_mm,
            self.dtype,
            cases,
            self.origin,
            self.warnings,
            self.written_by,
            self.label_scheme,
        )
