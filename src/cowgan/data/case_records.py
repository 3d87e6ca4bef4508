"""Per-scan preprocessing results, as CSV and JSON."""

import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from cowgan._version import __version__
from cowgan.data.scans import SetAside
from cowgan.documents import read_json
from cowgan.errors import CowganError
from cowgan.files import write_json
from cowgan.tables import write_table

MANIFEST_JSON = "manifest.json"
MANIFEST_CSV = "manifest.csv"
FAILED_CSV = "failed.csv"

SET_ASIDE = "set aside"
"""Status in ``failed.csv`` of files that are not scans."""

CaseStatus = Literal["done", "rejected", "failed"]
_Kind = Literal["napari-cowgan preprocessing"]
_KIND: _Kind = "napari-cowgan preprocessing"

_NOT_IN_TABLE = {"to_template", "parameters", "software", "source"}


@dataclass(frozen=True)
class CaseRecord:
    """The preprocessing result of one scan.

    Parameters
    ----------
    name : str
        Case name, which also names output and picture.
    status : {"done", "rejected", "failed"}
        Rejected: its registration, coverage or contrast is insufficient.
    reason : str
        One sentence on why there is no output; empty if there is one.
    input : str
        Path of the scan.
    input_sha256 : str
        SHA-256 of the scan; empty if it could not be read.
    output : str
        File name in the folder of the manifest; empty unless done.
    output_sha256 : str
        SHA-256 of the output; empty unless done.
    score : float or None
        Registration score, 0 to 1; None without a template.
    coverage : float or None
        Fraction of the region of interest that the scan covers, 0 to 1.
    centre_mm : list of float or None
        Middle of the region of interest in RAS millimetres of the output.
    skull_strip : str
        Program whose brain mask was used for registration, or ``"none"``.
    to_template : list of list of float or None
        4 x 4 map from RAS millimetres of the scan to those of the output.
    parameters : dict
        Parameters of the output.
    remarks : list of str
        Sentences on ambiguities and assumptions.
    source : dict
        Storage of the scan, from `Volume.provenance`.
    software : dict of str to str
        Software versions.
    """

    name: str
    status: CaseStatus
    reason: str = ""
    input: str = ""
    input_sha256: str = ""
    output: str = ""
    output_sha256: str = ""
    score: float | None = None
    coverage: float | None = None
    centre_mm: list[float] | None = None
    skull_strip: str = "none"
    to_template: list[list[float]] | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    source: dict[str, Any] = field(default_factory=dict)
    software: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Stored:
    """The content of ``manifest.json``."""

    kind: _Kind
    cases: tuple[CaseRecord, ...]
    set_aside: tuple[SetAside, ...] = ()


def software_versions() -> dict[str, str]:
    """Return the software versions that affect preprocessed volumes."""
    versions = {"cowgan": __version__, "Python": platform.python_version()}
    for package in ("numpy", "scipy", "SimpleITK"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions


def read_manifest(folder: Path) -> dict[str, CaseRecord]:
    """Return the records of an earlier run by name; empty if there was none.

    Raises
    ------
    CowganError
        The folder's manifest is damaged or belongs to something else.
    """
    return {record.name: record for record in _read(folder).cases}


def read_set_aside(folder: Path) -> list[SetAside]:
    """Return the files that the last run did not take as scans; empty if there was none.

    Raises
    ------
    CowganError
        As for `read_manifest`.
    """
    return list(_read(folder).set_aside)


def write_manifest(
    folder: Path, records: Iterable[CaseRecord], set_aside: Iterable[SetAside] = ()
) -> None:
    """Write ``manifest.json``, ``manifest.csv`` and ``failed.csv``.

    ``failed.csv`` lists scans without output and files not taken as scans, with reasons.

    Raises
    ------
    CowganError
        The folder cannot be written.
    """
    folder = Path(folder)
    set_aside = tuple(set_aside)
    ordered = sorted(records, key=lambda record: record.name)
    columns = [entry.name for entry in fields(CaseRecord) if entry.name not in _NOT_IN_TABLE]
    write_table(folder / MANIFEST_CSV, columns, map(_row, ordered))
    failed = [_row(record) for record in ordered if record.status != "done"]
    aside = [
        {"name": one.place, "status": SET_ASIDE, "reason": one.reason, "input": one.path}
        for one in set_aside
    ]
    columns = ["name", "status", "reason", "score", "input"]
    write_table(folder / FAILED_CSV, columns, [*failed, *aside])
    # Last, because only this file is read again.
    write_json(
        folder / MANIFEST_JSON,
        asdict(_Stored(_KIND, tuple(ordered), set_aside)),
    )


def _read(folder: Path) -> _Stored:
    path = Path(folder) / MANIFEST_JSON
    if not path.exists():
        return _Stored(_KIND, ())
    try:
        return read_json(path, _Stored, other_versions=True)
    except CowganError as error:
        raise CowganError(
            f"{path} is not a manifest of preprocessed scans; choose another folder.",
            f"{error.sentence}\n{error.detail}",
        ) from error


def _row(record: CaseRecord) -> dict[str, Any]:
    return {**asdict(record), "remarks": " ".join(record.remarks)}
