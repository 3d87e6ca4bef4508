"""What ``bank.json`` says, and the checks that it is sound."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from cowgan._version import __version__
from cowgan.data.bank_split import Side
from cowgan.data.bank_voxels import VoxelType, stored_dtype
from cowgan.errors import CowganError

VOXELS_FILE = "volumes.npy"
DESCRIPTION_FILE = "bank.json"
CASES_FILE = "cases.csv"
FORMAT = "cowgan-bank"
FORMAT_VERSION = 1

_HEX_DIGITS = frozenset("0123456789abcdef")


@dataclass(frozen=True)
class BankCase:
    """One volume of a bank.

    Parameters
    ----------
    name : str
        The file or anatomy it comes from.
    copy : int
        Counts the volumes made from one anatomy, from 0.
    subject : str
        Whose scan it is.
    split : {"training", "holdout"}
        The same for all volumes of a subject.
    sha256 : str
        Of the stored voxels.
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
    """Everything about a bank but its voxels.

    Parameters
    ----------
    shape : tuple of int
        Voxels along (z, x, y) of one volume.
    spacing_mm : tuple of float
        Voxel size along (z, x, y).
    voxel_type : {"uint8", "uint16", "float16"}
        How intensities are stored.
    cases : sequence of BankCase
        In the order of the volumes.
    origin : dict
        How the bank was made.
    written_by : str
        Software and version.
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    voxel_type: VoxelType
    cases: Sequence[BankCase]
    origin: dict[str, Any] = field(default_factory=dict)
    written_by: str = f"napari-cowgan {__version__}"

    @property
    def sha256(self) -> str:
        """Hash of what training sees: voxels, their grid, subjects and split.

        The same for a bank that is built again by another version or on another machine,
        and another one as soon as a voxel, the order or the split changes.
        """
        seen = {
            "voxel_type": self.voxel_type,
            "shape": self.shape,
            "spacing_mm": self.spacing_mm,
            "cases": [[c.name, c.copy, c.subject, c.split, c.sha256] for c in self.cases],
        }
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
            "origin": self.origin,
            "cases": [{**vars(c), "affine": c.affine.tolist()} for c in self.cases],
        }


def read_description(folder: Path) -> BankDescription:
    """Read and check ``bank.json``.

    Raises
    ------
    CowganError
        There is no bank in the folder, a newer version wrote it, or it is damaged.
    """
    path = folder / DESCRIPTION_FILE
    if not path.is_file():
        missing = f"it has no {DESCRIPTION_FILE}" if folder.is_dir() else "there is no such folder"
        raise CowganError(f"{folder} is not a training bank: {missing}.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CowganError(f"{path} is damaged or cannot be read.", repr(error)) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise CowganError(f"{path} belongs to another program and not to a training bank.")
    version = content.get("format_version")
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise CowganError(
            f"{folder} was written by a newer version of napari-cowgan; update to read it.",
            f"format version {version}, known {FORMAT_VERSION}",
        )
    try:
        description = _parse(content)
        _refuse_contradictions(description, content)
    except (KeyError, TypeError, ValueError, OverflowError, CowganError) as error:
        raise CowganError(f"{path} is damaged or was changed by hand.", repr(error)) from error
    return description


def _parse(content: dict[str, Any]) -> BankDescription:
    if content["format_version"] != FORMAT_VERSION:
        raise ValueError(f"format version {content['format_version']!r}")
    n_cases, nz, nx, ny = (_positive(n) for n in content["shape"])
    sz, sx, sy = (float(mm) for mm in content["spacing_mm"])
    stored_dtype(content["dtype"])
    cases = [_parse_case(case) for case in content["cases"]]
    if len(cases) != n_cases:
        raise ValueError(f"{n_cases} volumes, but {len(cases)} cases")
    return BankDescription(
        (nz, nx, ny),
        (sz, sx, sy),
        content["dtype"],
        cases,
        dict(content["origin"]),
        str(content["written_by"]),
    )


def _parse_case(case: dict[str, Any]) -> BankCase:
    name, subject, split, sha256 = (case[key] for key in ("name", "subject", "split", "sha256"))
    if not isinstance(name, str) or not isinstance(subject, str) or split not in get_args(Side):
        raise ValueError(f"case {name!r}, subject {subject!r}, split {split!r}")
    if not isinstance(sha256, str) or len(sha256) != 64 or not _HEX_DIGITS.issuperset(sha256):
        raise ValueError(f"sha256 {sha256!r} of case {name!r}")
    affine = np.array(case["affine"], dtype=np.float64)
    if affine.shape != (4, 4) or not np.isfinite(affine).all():
        raise ValueError(f"affine of case {name!r}")
    return BankCase(
        name, _natural(case["copy"]), subject, split, sha256, affine, dict(case["provenance"])
    )


def _refuse_contradictions(description: BankDescription, content: dict[str, Any]) -> None:
    if not all(isfinite(mm) and mm > 0 for mm in description.spacing_mm):
        raise ValueError(f"spacing {description.spacing_mm}")
    keys = [(case.name, case.copy) for case in description.cases]
    if len(set(keys)) < len(keys):
        raise ValueError("a case is listed twice")
    sides: dict[str, Side] = {}
    for case in description.cases:
        if sides.setdefault(case.subject, case.split) != case.split:
            raise ValueError(f"subject {case.subject} is in both splits")
    if description.sha256 != content["sha256"]:
        raise ValueError(f"sha256 is {description.sha256}, stated {content['sha256']}")


def _natural(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{value!r} is not a count")
    return value


def _positive(value: Any) -> int:
    if _natural(value) == 0:
        raise ValueError("0 voxels or volumes")
    return value
