"""Reader of MetaImage and NRRD files, through SimpleITK."""

import re
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cowgan.errors import CowganError
from cowgan.files import open_regular, path_inside, sha256_of
from cowgan.text import dimensions
from cowgan.volume.itk import image_affine, quiet_simpleitk
from cowgan.volume.placement import MM_PER_UNIT, UNIT_NAMES, Units
from cowgan.volume.stored import MOST_VOXELS, Stored

_DATA_FILE = re.compile(rb"^(?:ElementDataFile\s*=|data ?file:)(.*)$", re.MULTILINE | re.IGNORECASE)
_DIMENSIONS = re.compile(rb"NDims\s*[=:]\s*(-?\d*)", re.IGNORECASE)
_MOST_DIMENSIONS = 9
_LARGEST_HEADER = 2**16
_LARGEST_RATIO = 1032
"""Largest compression ratio of gzip."""

_META_IMAGE = re.compile(rb"\s*(?:[A-Za-z]+ *= *[^\n]*\n)*?\s*(?:ObjectType *= *Image|NDims *=)")
_ORIENTATION = {
    "MetaImageIO": re.compile(
        rb"^(?:TransformMatrix|Rotation|Orientation)\s*=", re.MULTILINE | re.IGNORECASE
    ),
    "NrrdImageIO": re.compile(rb"^space:", re.MULTILINE | re.IGNORECASE),
}
_SPACING = re.compile(
    rb"^(?:Element(?:Spacing|Size)\s*=|spacings:|space directions:)", re.MULTILINE | re.IGNORECASE
)
_UNITS = re.compile(
    rb"^(?:DistanceUnits\s*=|space units:)\s*\"?([a-z]+)", re.MULTILINE | re.IGNORECASE
)
_UNIT_OF: dict[bytes, Units] = {
    b"mm": "mm",
    b"millimeter": "mm",
    b"m": "m",
    b"meter": "m",
    b"um": "um",
    b"micron": "um",
    b"micrometer": "um",
}


def image_io(start: bytes) -> str | None:
    """Return the ITK reader for a file from its first bytes, or None."""
    if start.startswith(b"NRRD"):
        return "NrrdImageIO"
    return "MetaImageIO" if _META_IMAGE.match(start) else None


def read_with_itk(path: Path, reader_name: str, units: Units | None = None) -> Stored:
    """Read a MetaImage or NRRD file.

    Parameters
    ----------
    path : Path
        The file; a separate voxel file must be in the same folder.
    reader_name : str
        From `image_io`.
    units : {"mm", "m", "um"}, optional
        Unit of lengths, overriding the file.

    Raises
    ------
    CowganError
        SimpleITK is missing; the file is damaged, or not one 3D image of real numbers.
    """
    header, files = _judge(path)
    sitk = quiet_simpleitk()
    reader = sitk.ImageFileReader()
    reader.SetImageIO(reader_name)
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
        _judge_size(path, reader, sum(file.stat().st_size for file in files))
        size = reader.GetSize()
        if len(size) > 3:
            reader.SetExtractSize([*size[:3], *[0] * (len(size) - 3)])
        image = reader.Execute()
    except RuntimeError as error:
        raise _damaged(path, str(error)) from error
    remarks = []
    affine, orientation_from = image_affine(image), "file"
    if not _ORIENTATION[reader_name].search(header):
        orientation_from = "assumed"
        remarks.append(
            "No orientation is stored, so which side is the patient's left is a guess: the first "
            "axis was taken to run to the left, the second to posterior, the third to superior."
        )
    if not _SPACING.search(header):
        remarks.append("No voxel size is stored; 1 mm was assumed.")
    found = _UNITS.search(header)
    stated = _UNIT_OF.get(found[1].lower()) if found else None
    used = units or stated or "mm"
    if stated is not None and used != stated:
        remarks.append(
            f"The file states {UNIT_NAMES[stated]}; {UNIT_NAMES[used]} were used, as asked."
        )
    scale = MM_PER_UNIT[used]
    return Stored(
        _voxels(sitk, image),
        np.diag([scale, scale, scale, 1.0]) @ affine,
        sitk.GetPixelIDValueAsString(reader.GetPixelID()),
        orientation_from,
        sha256_of(path) if len(files) == 1 else _sha256_of_all(files),
        units=used,
        remarks=tuple(remarks),
    )


def _voxels(sitk: Any, image: Any) -> NDArray[Any]:
    return np.asarray(sitk.GetArrayFromImage(image).transpose(2, 1, 0))


def _judge(path: Path) -> tuple[bytes, list[Path]]:
    """Return the header and the files of an image, which must share a folder."""
    with open_regular(path) as file:
        header = file.read(_LARGEST_HEADER)
    named = _DATA_FILE.search(header)
    dimensions = [int(of or 0) for of in _DIMENSIONS.findall(header)]
    meta_image = not header.startswith(b"NRRD")
    # ITK crashes on such headers.
    if meta_image and (named is None or not all(0 < n <= _MOST_DIMENSIONS for n in dimensions)):
        raise _damaged(path, "")
    name = named[1].strip().decode("utf-8", "replace") if named else "LOCAL"
    if name.upper() == "LOCAL":
        return header, [path]
    if name.upper().startswith("LIST") or "%" in name:
        raise CowganError(f"{path.name} has its voxels in many files; save it as one.")
    voxel_path = path_inside(path.parent, name)
    open_regular(voxel_path).close()
    return header, [path, voxel_path]


def _judge_size(path: Path, reader: Any, stored_bytes: int) -> None:
    size, channels = reader.GetSize(), reader.GetNumberOfComponents()
    shown = dimensions(size)
    voxel = quiet_simpleitk().Image([1, 1], reader.GetPixelID(), channels)
    if not 0 < prod(size) * voxel.GetSizeOfPixelComponent() <= stored_bytes * _LARGEST_RATIO:
        raise RuntimeError(f"{shown} voxels in {stored_bytes} bytes")
    if prod(size) > MOST_VOXELS:
        raise CowganError(
            f"{path.name} states {shown} voxels; more than {MOST_VOXELS / 1e6:,.0f} million are "
            "not read."
        )
    if len(size) > 3 and any(n > 1 for n in size[3:]):
        raise CowganError(
            f"{path.name} is a series of volumes ({shown} voxels); save the wanted one as a 3D "
            "file."
        )
    if len(size) < 3:
        raise CowganError(f"{path.name} is a {len(size)}D image; a 3D volume is needed.")
    if channels > 1:
        raise CowganError(f"{path.name} holds {channels} values per voxel; one is needed.")


def _sha256_of_all(files: list[Path]) -> str:
    digest = sha256()
    for file in files:
        with open_regular(file) as opened:
            while piece := opened.read(2**20):
                digest.update(piece)
    return digest.hexdigest()


def _damaged(path: Path, detail: str) -> CowganError:
    return CowganError(f"{path.name} is damaged, incomplete or of an unknown kind.", detail)
