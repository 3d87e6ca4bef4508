"""DICOM series, read through SimpleITK after a check of their geometry."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cowgan.errors import CowganError
from cowgan.file_kinds import BYTES_NEEDED, has_dicom_mark
from cowgan.files import open_regular, sha256_of
from cowgan.text import dimensions
from cowgan.volume.formats import DICOM_SUFFIXES, has_suffix
from cowgan.volume.itk import RAS_TO_LPS, quiet_simpleitk
from cowgan.volume.placement import Units
from cowgan.volume.stored import MOST_VOXELS, Stored

_MOST_FILES = 20_000
_LOOKED_AT = 200
"""Files that are examined to find out whether a folder holds DICOM."""

_FEWEST_SLICES = 8
_SAME_PLACE_MM = 0.01
_SAME_DIRECTION = 1e-3
_UNEVEN = 0.1
"""Largest relative deviation of a slice distance."""

_LARGEST_SIDE = 8192
_LARGEST_RATIO = 1032
_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_UNREADABLE_HEADER = "a header that cannot be read"
_ANGIOGRAPHY = re.compile(r"tof|mra|angio|flight", re.IGNORECASE)
_NOT_TOF = {"LOCALIZER": "a localizer", "PROJECTION IMAGE": "projections", "MIP": "projections"}


def is_dicom(path: Path) -> bool:
    """Return whether a file is DICOM, or a folder holds DICOM files among its first."""
    path = Path(path)
    if path.is_dir():
        return any(_is_dicom_file(file) for file in islice(_files(path), _LOOKED_AT))
    return _is_dicom_file(path)


@dataclass(frozen=True)
class Series:
    """A DICOM series, by its headers.

    Parameters
    ----------
    files : tuple of Path
        Its slices, in the order in which they were given.
    name : str
        Its number and description, as in ``series 5 “TOF 3D”``.
    number : str
        Empty if the header has none.
    problem : str
        Why it forms no volume; empty if it seems to.
    may_be_angiogram : bool
        Whether its description names TOF, MRA or angiography, or there is no description.
    """

    files: tuple[Path, ...]
    name: str
    number: str
    problem: str
    may_be_angiogram: bool


def find_series(files: Iterable[Path]) -> list[Series]:
    """Return the DICOM series among files, by their headers.

    Raises
    ------
    CowganError
        SimpleITK is missing.
    """
    quiet_simpleitk()
    return [
        Series(
            tuple(one.path for one in series),
            _name(series),
            series[0].number,
            _unsuitable(series),
            not series[0].description or bool(_ANGIOGRAPHY.search(series[0].description)),
        )
        for series in _series_in(files)
    ]


def dicom_sha256(path: Path) -> str:
    """Return the SHA-256 of the series that `read_dicom` reads: that of those of its slices.

    Raises
    ------
    CowganError
        As for `read_dicom`, but no slice is read.
    """
    return _sha256_of(sorted(_chosen(Path(path))[0], key=_place_mm))


def read_dicom(path: Path, units: Units | None = None) -> Stored:
    """Read the one series of slices that a folder holds, or that a file belongs to.

    Parameters
    ----------
    path : Path
        A folder, searched to any depth, or one slice of a series that lies in one folder.
    units : {"mm", "m", "um"}, optional
        DICOM knows only millimetres; anything else is refused.

    Raises
    ------
    CowganError
        SimpleITK is missing; there is no series that forms one volume, or more than one;
        slices are missing or damaged. The message says how to convert the series.
    """
    path = Path(path)
    if units not in (None, "mm"):
        raise CowganError(f"{path.name} is DICOM, whose lengths are always millimetres.")
    return _volume_of(path, *_chosen(path))


def _chosen(path: Path) -> "tuple[_Series, list[str]]":
    """Return the series to read, and why others in its folder form no volume."""
    try:
        quiet_simpleitk()
    except CowganError as error:
        raise _convert(path, f"{error.sentence.rstrip('.')}, or") from error
    if path.is_dir():
        return _choose(path, _series_in(islice(_files(path), _MOST_FILES)))
    slices = _series_in(file for file in sorted(path.parent.iterdir()) if file.is_file())
    chosen = next((one for one in slices if path.name in [s.path.name for s in one]), [])
    reason = _unsuitable(chosen) if chosen else _UNREADABLE_HEADER
    if reason:
        raise _convert(path, f"it has {reason};")
    return chosen, []


@dataclass(frozen=True)
class _Slice:
    """The header of one file."""

    path: Path
    series: str
    number: str
    description: str
    image_type: str
    storage_class: str
    frames: int
    samples: int
    size: tuple[int, int]
    spacing_mm: tuple[float, ...]
    position_mm: tuple[float, ...]
    directions: tuple[float, ...]
    padding: float | None
    inverted: bool

    @property
    def is_placed(self) -> bool:
        """Whether the header states the position and orientation of the slice."""
        lengths = [len(self.spacing_mm), len(self.position_mm), len(self.directions)]
        numbers = (*self.spacing_mm, *self.position_mm, *self.directions)
        return lengths == [2, 3, 6] and all(map(isfinite, numbers)) and min(self.spacing_mm) > 0

    @property
    def normal(self) -> NDArray[np.float64]:
        """Slice normal, in LPS."""
        return np.cross(self.directions[:3], self.directions[3:])

    @property
    def place_mm(self) -> float:
        """Position along the normal."""
        return float(np.dot(self.normal, self.position_mm))


_Series = list[_Slice]


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, except hidden files and links to folders."""
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _files(path)
        elif path.is_file():
            yield path


def _is_dicom_file(path: Path) -> bool:
    if path.name.upper() == "DICOMDIR":
        return False
    try:
        with open_regular(path) as file:
            start = file.read(BYTES_NEEDED)
    except (CowganError, OSError):
        return False
    # Old files lack the preamble and begin with group 8.
    return has_dicom_mark(start) or (has_suffix(path, DICOM_SUFFIXES) and start[:2] == b"\x08\x00")


def _series_in(files: Iterable[Path]) -> list[_Series]:
    found: dict[tuple[str, ...], _Series] = {}
    for path in filter(_is_dicom_file, files):
        one = _read_header(path)
        if one is not None:
            found.setdefault((one.series,), []).append(one)
    return list(found.values())


def _read_header(path: Path) -> _Slice | None:
    reader = _reader(path)
    try:
        reader.ReadImageInformation()
    except RuntimeError:
        return None

    def text(tag: str) -> str:
        # GDCM fails on text outside the character set that the header states.
        try:
            value = reader.GetMetaData(tag) if reader.HasMetaDataKey(tag) else ""
        except (RuntimeError, UnicodeDecodeError):
            return ""
        return str(value).strip(" \0")

    def numbers(tag: str) -> tuple[float, ...]:
        try:
            return tuple(float(part) for part in text(tag).split("\\"))
        except ValueError:
            return ()

    def number(tag: str, otherwise: float) -> float:
        return (numbers(tag) or (otherwise,))[0]

    width, height = reader.GetSize()[:2]
    padding = numbers("0028|0120")
    slope, intercept = number("0028|1053", 1.0), number("0028|1052", 0.0)
    return _Slice(
        path,
        text("0020|000e"),
        text("0020|0011"),
        text("0008|103e"),
        text("0008|0008").upper(),
        text("0008|0016"),
        int(number("0028|0008", 1)),
        int(number("0028|0002", 1)),
        (int(width), int(height)),
        numbers("0028|0030"),
        numbers("0020|0032"),
        numbers("0020|0037"),
        padding[0] * slope + intercept if padding else None,
        text("0028|0004") == "MONOCHROME1",
    )


def _reader(path: Path) -> Any:
    reader = quiet_simpleitk().ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.LoadPrivateTagsOff()
    reader.SetFileName(str(path))
    return reader


def _choose(path: Path, series: list[_Series]) -> tuple[_Series, list[str]]:
    """Return the only series that forms a volume, and why the others do not."""
    suited = [one for one in series if not _unsuitable(one)]
    aside = [f"{_name(one)}: {reason}" for one in series if (reason := _unsuitable(one))]
    if not suited:
        if not series:
            raise _convert(path, f"its files have {_UNREADABLE_HEADER};")
        raise _convert(path, f"no series forms a volume ({'; '.join(aside[:6])});")
    if len(suited) > 1:
        names = ", ".join(f"{_name(one)} ({len(one)} slices)" for one in suited[:8])
        raise CowganError(
            f"{path.name} holds {len(suited)} series that form volumes: {names}; open one file of "
            f"the wanted series, such as {suited[0][0].path.name}.",
            "\n".join(f"{_name(one)}: {one[0].path}" for one in suited),
        )
    return suited[0], aside


def _unsuitable(series: _Series) -> str:
    """Return why a series forms no volume; empty if it seems to."""
    first = series[0]
    for mark, what in _NOT_TOF.items():
        if any(mark in one.image_type.split("\\") for one in series):
            return what
    if any(one.frames > 1 for one in series):
        return "many slices in one file (multi-frame)"
    if any(one.samples > 1 for one in series):
        return "colour pictures"
    if any(one.storage_class.startswith(_SECONDARY_CAPTURE) for one in series):
        return "pictures of a screen (secondary capture)"
    if not all(one.is_placed for one in series):
        return "slices that do not say where they lie"
    if len(series) < _FEWEST_SLICES:
        return f"only {len(series)} slice{'s' * (len(series) > 1)}"
    same = (
        one.size == first.size
        and np.allclose(one.spacing_mm, first.spacing_mm, rtol=1e-3)
        and np.allclose(one.directions, first.directions, atol=_SAME_DIRECTION)
        for one in series
    )
    return "" if all(same) else "slices of different sizes or directions"


def _name(series: _Series) -> str:
    first = series[0]
    number = f"series {first.number}" if first.number else "a series"
    return f"{number} “{first.description}”" if first.description else number


def _volume_of(path: Path, series: _Series, aside: list[str]) -> Stored:
    slices = sorted(series, key=_place_mm)
    step_mm = _step_mm(path, slices)
    width, height = slices[0].size
    most_bytes = min(one.path.stat().st_size for one in slices) * _LARGEST_RATIO
    voxels = width * height * len(slices)
    if max(width, height) > _LARGEST_SIDE or voxels > MOST_VOXELS or width * height > most_bytes:
        raise _convert(path, f"it states {dimensions((width, height, len(slices)))} voxels;")
    data = np.empty((len(slices), height, width), np.float32)
    for layer, one in zip(data, slices, strict=True):
        reader = _reader(one.path)
        try:
            image = reader.Execute()
        except RuntimeError as error:
            raise _convert(path, f"the slice {one.path.name} is damaged or packed;") from error
        layer[:] = quiet_simpleitk().GetArrayViewFromImage(image).reshape(height, width)
    remarks = [
        f"It was read from {len(slices)} DICOM files ({_name(slices)})"
        + (f"; left out: {'; '.join(aside[:6])}." if aside else ".")
    ]
    if slices[0].inverted:
        remarks.append("Its brightness is stored inverted (MONOCHROME1), and shown so.")
    return Stored(
        data.transpose(2, 1, 0),
        RAS_TO_LPS @ _affine_lps(slices, step_mm),
        "DICOM",
        "file",
        _sha256_of(slices),
        remarks=tuple(remarks),
        details={"series": _name(slices), "slices": len(slices)},
        padding=slices[0].padding,
    )


def _place_mm(one: _Slice) -> float:
    return one.place_mm


def _sha256_of(slices: _Series) -> str:
    return sha256("".join(sha256_of(one.path) for one in slices).encode()).hexdigest()


def _step_mm(path: Path, slices: _Series) -> NDArray[np.float64]:
    """Return the vector from one slice to the next, in LPS, after a check for missing slices."""
    places = np.array([one.place_mm for one in slices])
    steps = np.diff(places)
    repeated = Counter(np.round(places / _SAME_PLACE_MM).astype(int)).most_common(1)[0][1]
    if repeated > 1 or steps.min() < _SAME_PLACE_MM:
        raise _convert(path, f"{_name(slices)} has up to {repeated} images at one place;")
    typical = float(np.median(steps))
    if steps.max() > 1.5 * typical:
        missing = int(np.rint(steps / typical - 1).sum())
        raise CowganError(
            f"{path.name}: {missing} slice{' is' if missing == 1 else 's are'} missing from "
            f"{_name(slices)}, so it is no whole volume; fetch the series again.",
            f"distances {steps.tolist()}",
        )
    if np.abs(steps - typical).max() > _UNEVEN * typical:
        raise _convert(path, f"the slices of {_name(slices)} are unevenly spaced;")
    way = np.subtract(slices[-1].position_mm, slices[0].position_mm)
    return np.asarray(way / (len(slices) - 1), np.float64)


def _affine_lps(slices: _Series, step_mm: NDArray[np.float64]) -> NDArray[np.float64]:
    first = slices[0]
    down_mm, along_mm = first.spacing_mm
    affine = np.eye(4)
    affine[:3, 0] = np.array(first.directions[:3]) * along_mm
    affine[:3, 1] = np.array(first.directions[3:]) * down_mm
    affine[:3, 2] = step_mm
    affine[:3, 3] = first.position_mm
    return affine


def _convert(path: Path, reason: str) -> CowganError:
    return CowganError(
        f"{path.name} is DICOM and could not be read as it is: {reason} convert it with dcm2niix "
        f'("dcm2niix -z y -o converted {path.name}") and open what that writes.'
    )
