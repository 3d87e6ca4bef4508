"""Scans from files of several formats, and what to call them."""

import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import prod
from pathlib import Path

import numpy as np

from cowgan.data.itk import from_itk, simpleitk
from cowgan.errors import CowganError
from cowgan.files import open_regular, path_inside
from cowgan.volume import Volume, read_nifti
from cowgan.volume.nifti import MOST_VOXELS

SUFFIXES = (".nii.gz", ".nii", ".mha", ".mhd", ".nrrd", ".nhdr")
"""File names that are taken for scans, in any case."""

_DATA_FILE = re.compile(rb"^(?:ElementDataFile\s*=|data ?file:)(.*)$", re.MULTILINE | re.IGNORECASE)
_DIMENSIONS = re.compile(rb"NDims\s*[=:]\s*(-?\d*)", re.IGNORECASE)
_MOST_DIMENSIONS = 9
_LARGEST_HEADER = 2**16
_LARGEST_RATIO = 1032
"""Of what gzip unpacks to what it reads."""

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
    """Read a scan of any orientation and spacing.

    Parameters
    ----------
    path : Path
        NIfTI, MetaImage or NRRD; the last two need SimpleITK.

    Returns
    -------
    Volume
        NaN and infinite voxels are 0; their number is in the last entry of the
        provenance's ``"sources"``.

    Raises
    ------
    CowganError
        The file is missing, damaged, not one 3D image of real numbers, or has the same
        value in every voxel.
    """
    path = Path(path)
    if path.name.lower().endswith((".nii", ".nii.gz")):
        volume = read_nifti(path, nonfinite_as=0.0)
    else:
        volume = _read_with_itk(path)
    if volume.data.min() == volume.data.max():
        raise CowganError(f"{path.name} has the same value in every voxel.")
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


def _stored_bytes(path: Path) -> int:
    """Return the size of an image's files, all of which must lie in one folder."""
    with open_regular(path) as file:
        header, size = file.read(_LARGEST_HEADER), os.fstat(file.fileno()).st_size
    named = _DATA_FILE.search(header)
    dimensions = [int(of or 0) for of in _DIMENSIONS.findall(header)]
    meta_image = path.suffix.lower() in (".mha", ".mhd")
    # ITK crashes on more, so it must not see them.
    if meta_image and (named is None or not all(0 < n <= _MOST_DIMENSIONS for n in dimensions)):
        raise CowganError(f"{path.name} is damaged, incomplete or of an unknown kind.")
    name = named[1].strip().decode("utf-8", "replace") if named else "LOCAL"
    if name.upper() == "LOCAL":
        return size
    if name.upper().startswith("LIST") or "%" in name:
        raise CowganError(f"{path.name} has its voxels in many files; save it as one.")
    with open_regular(path_inside(path.parent, name)) as file:
        return size + os.fstat(file.fileno()).st_size


def _read_with_itk(path: Path) -> Volume:
    sitk = simpleitk()
    if not path.exists():
        raise CowganError(f"{path} does not exist.")
    stored_bytes = _stored_bytes(path)
    # ITK's own warnings on damaged files would appear beside our sentence.
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        size, channels = reader.GetSize(), reader.GetNumberOfComponents()
        voxel = sitk.Image([1, 1], reader.GetPixelID(), channels)
        if not 0 < prod(size) * voxel.GetSizeOfPixelComponent() <= stored_bytes * _LARGEST_RATIO:
            raise RuntimeError(f"{size} voxels in {stored_bytes} bytes")
        if prod(size) > MOST_VOXELS:
            raise CowganError(
                f"{path.name} states {' x '.join(map(str, size))} voxels; more than "
                f"{MOST_VOXELS / 1e6:,.0f} million are not read."
            )
        if len(size) > 3 and any(n > 1 for n in size[3:]):
            shown = " x ".join(map(str, size))
            raise CowganError(
                f"{path.name} is a series of volumes ({shown} voxels); save the wanted one as a "
                "3D file."
            )
        if len(size) < 3:
            raise CowganError(f"{path.name} is a {len(size)}D image; a 3D volume is needed.")
        if channels > 1:
            raise CowganError(f"{path.name} holds {channels} values per voxel; one is needed.")
        if len(size) > 3:
            reader.SetExtractSize([*size[:3], *[0] * (len(size) - 3)])
        image = sitk.Cast(reader.Execute(), sitk.sitkFloat32)
    except RuntimeError as error:
        raise CowganError(
            f"{path.name} is damaged, incomplete or of an unknown kind.", str(error)
        ) from error
    array = sitk.GetArrayViewFromImage(image)
    data_type = sitk.GetPixelIDValueAsString(reader.GetPixelID())
    source: dict[str, object] = {"file": path.name, "data_type": data_type}
    unknown = int(array.size - np.isfinite(array).sum())
    if unknown:
        filled = sitk.GetImageFromArray(np.nan_to_num(array, nan=0.0, posinf=0.0, neginf=0.0))
        filled.CopyInformation(image)
        image = filled
        source |= {"nonfinite_replaced": unknown, "nonfinite_as": 0.0}
    try:
        return from_itk(image, {"sources": [source]})
    except CowganError as error:
        raise CowganError(f"{path.name}: {error.sentence}", error.detail) from error
