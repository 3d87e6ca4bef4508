"""Which scans folders hold, what they are called, and why other files are none."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from cowgan.data.bids import Bids, suffix_of
from cowgan.data.case_names import case_name, name_cases
from cowgan.data.folder_walk import Entry, FolderWalk
from cowgan.errors import Cancelled, CowganError
from cowgan.file_kinds import BYTES_NEEDED, has_dicom_mark, stand_in
from cowgan.files import absolute, open_regular
from cowgan.progress import Progress, Silent
from cowgan.volume import Units, Volume, open_image, read_volume
from cowgan.volume.formats import DICOM_SUFFIXES, IMAGE_SUFFIXES, image_stem, is_image_name

_NIFTI_PAIR = (".hdr", ".img")
_FOREIGN = {
    **dict.fromkeys((".mgz", ".mgh"), "An image of FreeSurfer; convert it with mri_convert."),
    ".mnc": "A MINC image; convert it with mnc2nii.",
    **dict.fromkeys((".par", ".rec"), "An image of Philips; convert it with dcm2niix."),
    **dict.fromkeys((".zip", ".tar", ".tgz", ".tar.gz", ".7z", ".rar"), "An archive; unpack it."),
    **dict.fromkeys((".nii.bz2", ".nii.xz", ".nii.zst"), "Packed; unpack it."),
    **dict.fromkeys(_NIFTI_PAIR, "One of a pair of files (.hdr, .img); name it to take it."),
}
"""Endings of images, or what may hold some, and what is told of them."""

_LOOKED_AT = 20
"""Files of a folder that are opened to see whether they are DICOM."""

_MAY_BE_LABELS = re.compile(
    r"mask|label|seg|lesion|annot|aparc|(?:^|[_.-])(?:roi|gt)(?:$|[_.-])", re.IGNORECASE
)
"""Words in names of masks and label maps; the voxels then decide."""

_IMAGE = "image"
_LABELS = "its voxels hold labels and no intensities"
_DICOM_ADVICE = 'convert it with dcm2niix ("dcm2niix -z y -o converted {}")'


@dataclass(frozen=True)
class Case:
    """One scan.

    Parameters
    ----------
    name : str
        Differs from every other case's, also where file names ignore case.
    path : Path
        What to read, absolute; a link as it was given.
    place : str
        Where it lies below the folder that was searched, with ``/``.
    named : bool
        Whether the person named it, so that it is taken whatever it seems to be.
    """

    name: str
    path: Path
    place: str
    named: bool = False


@dataclass(frozen=True)
class SetAside:
    """A file or folder that is not taken.

    Parameters
    ----------
    place : str
        Where it lies below the folder that was searched, with ``/``.
    reason : str
        One sentence.
    path : str
        Absolute.
    may_be_taken : bool
        Whether it can be read, and is taken if it is named.
    """

    place: str
    reason: str
    path: str
    may_be_taken: bool = False


@dataclass(frozen=True)
class FoundScans:
    """What folders hold.

    Parameters
    ----------
    cases : list of Case
        The scans, sorted by path within each input.
    set_aside : list of SetAside
        Everything else that could be meant for a scan.
    """

    cases: list[Case] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)

    def require_cases(self, inputs: Sequence[Path]) -> "FoundScans":
        """Return this.

        Raises
        ------
        CowganError
            There is no case; the sentence says what is there instead.
        """
        if not self.cases:
            raise CowganError(_nothing_in(inputs, self.set_aside), _listed(self.set_aside))
        return self


def find_scans(
    inputs: Sequence[Path],
    known: Mapping[str, str] | None = None,
    take: Sequence[str] = (),
    progress: Progress | None = None,
) -> FoundScans:
    """Find the scans among files and below folders, and say why the rest is left out.

    Links are followed, and every file counts once. Hidden files and folders are not looked
    at. In a BIDS data set, only raw files whose names end in ``_angio`` are scans. Masks and
    label maps are known by their voxels, which are read where a name arouses suspicion.

    Parameters
    ----------
    inputs : sequence of Path
        Files, which are taken whatever their names, and folders, searched to any depth.
    known : mapping of str to str, optional
        Names given earlier, by absolute path; these are kept.
    take : sequence of str
        Patterns such as ``"*_T1w*"`` or ``"derivatives/*_desc-preproc*"``: files in folders
        whose name, or path below the folder, matches one are taken too.
    progress : Progress, optional
        Asked whether to stop; nothing is reported.

    Returns
    -------
    FoundScans
        May be empty; see `FoundScans.require_cases`. For names see
        `cowgan.data.case_names`.

    Raises
    ------
    CowganError
        An input does not exist.
    Cancelled
        The person stopped.
    """
    inputs = [Path(given) for given in inputs]
    for given in inputs:
        if not os.path.lexists(given):
            raise CowganError(f"{given} does not exist.")
    search = _Search(inputs, take, progress or Silent())
    for given in inputs:
        search.look_into(given)
    earlier = {Path(path): name for path, name in (known or {}).items()}
    resolved = {_real(path): name for path, name in earlier.items()}
    kept = {path: resolved[_real(path)] for path in search.found if _real(path) in resolved}
    others = {path: name for path, name in earlier.items() if name not in kept.values()}
    names = name_cases({path: case.name for path, case in search.found.items()}, others | kept)
    cases = [replace(case, name=names[path]) for path, case in search.found.items()]
    return FoundScans(cases, [one for path, one in search.aside.items() if path not in names])


def find_label_maps(inputs: Sequence[Path]) -> dict[str, Path]:
    """Return the images among files and below folders, by case name and sorted by it.

    Parameters
    ----------
    inputs : sequence of Path
        As for `find_scans`, but whatever names and voxels tell.

    Raises
    ------
    CowganError
        An input does not exist, or there is no image.
    """
    found = find_scans(inputs, take=("*",)).require_cases(inputs)
    return {case.name: case.path for case in sorted(found.cases, key=lambda case: case.name)}


def read_case(case: Case, units: Units | None = None) -> Volume:
    """Read a scan that `find_scans` found.

    Raises
    ------
    CowganError
        As for `read_scan`; or the person did not name it, and its voxels are labels.
    """
    volume = read_scan(case.path, units)
    content = (volume.provenance.get("sources") or [{}])[-1].get("content", _IMAGE)
    if content != _IMAGE and not case.named:
        raise CowganError(f"{case.path.name} is a {content}: {_LABELS}.")
    return volume


def read_scan(path: Path, units: Units | None = None) -> Volume:
    """Read a scan of any format, orientation and spacing.

    Raises
    ------
    CowganError
        As for `cowgan.volume.read_volume`, or it has the same value in every voxel.
    """
    volume = read_volume(path, units=units)
    if volume.data.min() == volume.data.max():
        raise CowganError(f"{Path(path).name} has the same value in every voxel.")
    return volume


class _Search:
    """Gathers scans and what is none, over several inputs."""

    def __init__(self, inputs: Sequence[Path], take: Sequence[str], progress: Progress) -> None:
        self.found: dict[Path, Case] = {}
        self.aside: dict[Path, SetAside] = {}
        self._folders = [absolute(given) for given in inputs if given.is_dir()]
        self._take = take
        self._progress = progress
        self._walk = FolderWalk()

    def look_into(self, given: Path) -> None:
        """Add what an input holds."""
        top = absolute(given)
        bids = Bids(top)
        dicom = _DicomFolders()
        for entry in self._walk.entries(given):
            if self._progress.cancelled:
                raise Cancelled
            if entry.kind == "folder":
                bids.enter(entry.path, entry.readable)
            elif entry.kind == "file":
                self._judge(entry, top, bids, dicom)
            elif entry.kind == "again":
                self._note_again(entry, top)
            elif entry.kind == "store":
                reason = "The store of git-annex; its files are found by the links to them."
                self._set_aside(entry.path, top, reason)
            elif entry.kind == "unreadable":
                self._set_aside(entry.path, top, f"It could not be read: {entry.told}.")
            elif is_image_name(entry.path) or entry.path == top:
                self._set_aside(entry.path, top, "Not downloaded (the link leads nowhere).")
            elif not entry.path.suffix:
                self._set_aside(entry.path, top, "A link that leads nowhere.")
        for folder, count in dicom.counts.items():
            files = f"{count} DICOM file{'s' * (count > 1)}"
            told = f"A folder of {files}; {_DICOM_ADVICE.format(folder.name)}."
            self._set_aside(folder, top, told)

    def _judge(self, entry: Entry, top: Path, bids: Bids, dicom: "_DicomFolders") -> None:
        path, place = entry.path, _place(entry.path, top)
        named = path == top or any(
            fnmatchcase(place, pattern) or fnmatchcase(path.name, pattern) for pattern in self._take
        )
        if not is_image_name(path) and not (named and path.name.lower().endswith(_NIFTI_PAIR)):
            reason = _why_no_image(path, entry.readable, dicom, alone=path == top)
            if reason:
                self._set_aside(path, top, reason)
            return
        reason = _why_unreadable(entry.readable)
        if reason:
            self._set_aside(path, top, reason)
            return
        if not named:
            reason = bids.why_not(path) or _why_labels(entry.readable)
        if reason:
            self._set_aside(path, top, reason, may_be_taken=True)
            return
        case = self.found.get(entry.readable)
        if case is None:
            case = Case(self._name(path), entry.readable, place)
        self.found[entry.readable] = replace(case, named=case.named or named)

    def _note_again(self, entry: Entry, top: Path) -> None:
        if not (is_image_name(entry.path) or entry.readable.is_dir()):
            return
        first = Path(entry.told)
        what = "folder" if entry.readable.is_dir() else "file"
        self._set_aside(entry.path, top, f"The same {what} as {_place(first, top)}, by a link.")

    def _set_aside(self, path: Path, top: Path, reason: str, *, may_be_taken: bool = False) -> None:
        one = SetAside(_place(path, top), reason, os.fspath(path), may_be_taken)
        self.aside.setdefault(path, one)

    def _name(self, path: Path) -> str:
        # A file that is named beside its folder is called as if it were found there.
        folder = next((f for f in self._folders if path.is_relative_to(f)), path.parent)
        return case_name(path.relative_to(folder).with_name(image_stem(path)))


class _DicomFolders:
    """Counts DICOM files by folder, of which only the first few are opened."""

    def __init__(self) -> None:
        self.counts: dict[Path, int] = {}
        self._others: dict[Path, int] = {}

    def has(self, path: Path, readable: Path) -> bool:
        """Tell whether a file is taken for DICOM, and count it."""
        folder = path.parent
        if folder not in self.counts:
            if self._others.get(folder, 0) >= _LOOKED_AT:
                return False
            if not _begins_as_dicom(readable):
                self._others[folder] = self._others.get(folder, 0) + 1
                return False
        self.counts[folder] = self.counts.get(folder, 0) + 1
        return True


def _begins_as_dicom(path: Path) -> bool:
    if path.name.lower().endswith(DICOM_SUFFIXES) or path.name.upper() == "DICOMDIR":
        return True
    start = _start_of(path)
    return isinstance(start, bytes) and has_dicom_mark(start)


def _why_no_image(path: Path, readable: Path, dicom: _DicomFolders, *, alone: bool) -> str:
    """Return why a file of another name is no scan; empty if nobody would take it for one."""
    lower = path.name.lower()
    if alone:
        if _begins_as_dicom(readable):
            return f"A DICOM file; {_DICOM_ADVICE.format(path.parent.name)}."
        return f"Not a scan; names of scans end in {', '.join(IMAGE_SUFFIXES)}."
    for suffix, told in _FOREIGN.items():
        if lower.endswith(suffix):
            return told
    if lower.endswith(DICOM_SUFFIXES) or not path.suffix or path.suffix[1:].isdigit():
        dicom.has(path, readable)
    return ""


def _why_unreadable(path: Path) -> str:
    """Return what a file is that stands in for another one."""
    start = _start_of(path)
    if isinstance(start, str):
        return start
    kind = stand_in(start)
    return f"It is {kind}." if kind else ""


def _why_labels(path: Path) -> str:
    if not (_MAY_BE_LABELS.search(image_stem(path)) or suffix_of(path) in ("mask", "dseg")):
        return ""
    try:
        content = open_image(path).content
    except CowganError:
        # Whoever reads it will be told.
        return ""
    return "" if content == _IMAGE else f"It is a {content}: {_LABELS}."


def _start_of(path: Path) -> bytes | str:
    """Return how a file begins, or a sentence on why it cannot be read."""
    try:
        with open_regular(path) as file:
            return file.read(BYTES_NEEDED)
    except CowganError as error:
        return error.sentence
    except OSError as error:
        return f"It could not be read: {error.strerror or error}."


def _real(path: Path) -> str:
    return os.path.realpath(path)


def _place(path: Path, top: Path) -> str:
    if path == top:
        return path.name
    return path.relative_to(top).as_posix() if path.is_relative_to(top) else str(path)


def _nothing_in(inputs: Sequence[Path], aside: Sequence[SetAside]) -> str:
    where = ", ".join(map(str, inputs))
    if not aside:
        return (
            f"There are no scans in {where}; their names end in "
            f"{', '.join(IMAGE_SUFFIXES[:-1])} or {IMAGE_SUFFIXES[-1]}."
        )
    first = aside[0]
    told = f"{first.place}: {first.reason.rstrip('.')}"
    if len(aside) > 1:
        told += f"; and {len(aside) - 1} more"
    if first.path in map(os.fspath, map(absolute, inputs)):
        return f"{told}."
    return f"There are no scans in {where} ({told})."


def _listed(aside: Sequence[SetAside]) -> str:
    return "\n".join(f"{one.place}: {one.reason}" for one in aside)
