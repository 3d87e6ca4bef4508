"""Scans from files of several formats, and what to call them."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from cowgan.errors import CowganError
from cowgan.volume import Volume, read_volume

SUFFIXES = (".nii.gz", ".nii", ".mha", ".mhd", ".nrrd", ".nhdr")
"""File names that are taken for scans, in any case."""

_RESERVED = {"manifest", "failed", "quality"}
_UNSAFE = re.compile(r"[^\w.+-]+")


@dataclass(frozen=True)
class Case:
    """One scan.

    Parameters
    ----------
    name : str
        Differs from every other case's, also where file names ignore case.
    path : Path
        The file, absolute.
    """

    name: str
    path: Path


def is_scan(path: Path) -> bool:
    """Tell whether a file name is one of a scan."""
    return path.name.lower().endswith(SUFFIXES)


def read_scan(path: Path) -> Volume:
    """Read a scan of any format, orientation and spacing.

    Raises
    ------
    CowganError
        As for `cowgan.volume.read_volume`, or it has the same value in every voxel.
    """
    volume = read_volume(path)
    if volume.data.min() == volume.data.max():
        raise CowganError(f"{Path(path).name} has the same value in every voxel.")
    return volume


def find_cases(inputs: Sequence[Path], known: Mapping[str, str] | None = None) -> list[Case]:
    """List the scans among files and below folders.

    Parameters
    ----------
    inputs : sequence of Path
        Files, and folders that are searched to any depth; hidden files are left out.
    known : mapping of str to str, optional
        Names given earlier, by absolute path; these are kept.

    Returns
    -------
    list of Case
        Sorted by path within each input; a file that is named twice counts once. A case is
        named by its path below the input, with ``_`` between folders; if that name is
        taken, six digits of the SHA-256 of the path are added.

    Raises
    ------
    CowganError
        An input does not exist or is no scan, or there is no scan at all.
    """
    proposals: dict[Path, str] = {}
    for given in map(Path, inputs):
        for path, name in _scans(given):
            proposals.setdefault(path, name)
    if not proposals:
        raise CowganError(
            "There are no scans in the given folders; their names end in "
            f"{', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}."
        )
    known = known or {}
    kept = {path: known[str(path)] for path in proposals if str(path) in known}
    counts = Counter(name.casefold() for name in proposals.values())
    taken = {name.casefold() for name in known.values()} | _RESERVED
    cases = []
    for path, proposal in proposals.items():
        name = kept.get(path, proposal)
        if path not in kept and (counts[name.casefold()] > 1 or name.casefold() in taken):
            name = f"{name}-{sha256(str(path).encode()).hexdigest()[:6]}"
        cases.append(Case(name, path))
    return cases


def stem(path: Path) -> str:
    """Return the file name of a scan without its suffix."""
    lower = path.name.lower()
    suffix = next((ending for ending in SUFFIXES if lower.endswith(ending)), "")
    return path.name[: len(path.name) - len(suffix)]


def _scans(given: Path) -> Iterable[tuple[Path, str]]:
    if given.is_dir():
        folder = given.resolve()
        for path in sorted(folder.rglob("*")):
            below = path.relative_to(folder)
            hidden = any(part.startswith(".") for part in below.parts)
            if is_scan(path) and path.is_file() and not hidden:
                yield path, _safe("_".join([*below.parent.parts, stem(path)]))
        return
    if not given.exists():
        raise CowganError(f"{given} does not exist.")
    if not is_scan(given):
        raise CowganError(
            f"{given.name} is not a scan; use NIfTI (.nii, .nii.gz), MetaImage (.mha, .mhd) "
            "or NRRD (.nrrd)."
        )
    yield given.resolve(), _safe(stem(given))


def _safe(name: str) -> str:
    return _UNSAFE.sub("_", name) or "scan"
