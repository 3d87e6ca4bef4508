"""Discovery and naming of the scans in folders, with reasons for excluded files."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path

from cowgan.data import exclusion
from cowgan.data.bids import Bids
from cowgan.data.case_names import case_name, name_cases
from cowgan.data.dicom_cases import DicomFolders
from cowgan.data.folder_walk import Entry, FolderWalk
from cowgan.errors import Cancelled, CowganError
from cowgan.files import absolute
from cowgan.progress import Progress, Silent
from cowgan.volume import Units, Volume, read_volume
from cowgan.volume.formats import IMAGE_SUFFIXES, image_stem, is_image_name


@dataclass(frozen=True)
class Case:
    """A scan.

    Parameters
    ----------
    name : str
        Unique, also where file names ignore case.
    path : Path
        Absolute path of the file or DICOM folder; links are not resolved.
    place : str
        Path below the searched folder, with ``/``.
    named : bool
        Whether the user named it explicitly; it is then always taken.
    """

    name: str
    path: Path
    place: str
    named: bool = False


@dataclass(frozen=True)
class SetAside:
    """A file or folder that is not taken as a scan.

    Parameters
    ----------
    place : str
        Path below the searched folder, with ``/``.
    reason : str
        One sentence.
    path : str
        Absolute path.
    may_be_taken : bool
        Whether it is readable, so that it is taken if the user names it.
    """

    place: str
    reason: str
    path: str
    may_be_taken: bool = False


@dataclass(frozen=True)
class FoundScans:
    """The scans and excluded files of a search.

    Parameters
    ----------
    cases : list of Case
        The scans, sorted by path within each input.
    set_aside : list of SetAside
        Other files that could be scans.
    """

    cases: list[Case] = field(default_factory=list)
    set_aside: list[SetAside] = field(default_factory=list)

    def require_cases(self, inputs: Sequence[Path]) -> "FoundScans":
        """Return the result itself.

        Raises
        ------
        CowganError
            There is no case; the message names what was found instead.
        """
        if not self.cases:
            raise CowganError(_nothing_in(inputs, self.set_aside), _listed(self.set_aside))
        return self


def is_scan_folder(path: Path) -> bool:
    """Return whether a path is a folder of scans, rather than a model, which may be a folder."""
    return path.is_dir() and not any(path.glob("*.pt"))


def find_scans(
    inputs: Sequence[Path],
    known: Mapping[str, str] | None = None,
    take: Sequence[str] = (),
    progress: Progress | None = None,
    *,
    dicom: bool = True,
) -> FoundScans:
    """Find the scans among files and below folders, with reasons for excluded files.

    Links are followed, and every file counts once. Hidden files and folders are skipped. In BIDS
    data sets, only raw files with the suffix ``_angio`` are scans. Masks and label maps are
    recognised by their voxels, which are read if the name suggests it.

    Parameters
    ----------
    inputs : sequence of Path
        Files, which are always taken, and folders, which are searched to any depth.
    known : mapping of str to str, optional
        Names from earlier runs by absolute path, which are kept.
    take : sequence of str
        Patterns such as ``"*_T1w*"`` or ``"derivatives/*_desc-preproc*"``: files whose name, or
        path below the folder, matches one are also taken.
    progress : Progress, optional
        Only asked for cancellation.
    dicom : bool
        Take DICOM series that form a volume and whose description, if any, names TOF or MRA.

    Returns
    -------
    FoundScans
        May be empty; see `FoundScans.require_cases`, and `cowgan.data.case_names` for names.

    Raises
    ------
    CowganError
        An input does not exist.
    Cancelled
        The user cancelled.
    """
    inputs = [Path(given) for given in inputs]
    for given in inputs:
        if not os.path.lexists(given):
            raise CowganError(f"{given} does not exist.")
    search = _Search(inputs, take, progress or Silent(), dicom=dicom)
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
        As for `find_scans`, but every image is taken.

    Raises
    ------
    CowganError
        An input does not exist, or there is no image.
    """
    found = find_scans(inputs, take=("*",), dicom=False).require_cases(inputs)
    return {case.name: case.path for case in sorted(found.cases, key=lambda case: case.name)}


def read_case(case: Case, units: Units | None = None) -> Volume:
    """Read a scan that `find_scans` found.

    Raises
    ------
    CowganError
        As for `read_scan`; or its voxels are labels and the user did not name it.
    """
    volume = read_scan(case.path, units)
    content = (volume.provenance.get("sources") or [{}])[-1].get("content", exclusion.IMAGE)
    if content != exclusion.IMAGE and not case.named:
        raise CowganError(f"{case.path.name} is a {content}: {exclusion.LABELS}.")
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
    """Collects scans and excluded files over several inputs."""

    def __init__(
        self, inputs: Sequence[Path], take: Sequence[str], progress: Progress, *, dicom: bool
    ) -> None:
        self.found: dict[Path, Case] = {}
        self.aside: dict[Path, SetAside] = {}
        self._folders = [absolute(given) for given in inputs if given.is_dir()]
        self._take = take
        self._dicom = dicom
        self._progress = progress
        self._walk = FolderWalk()

    def look_into(self, given: Path) -> None:
        """Add the content of an input."""
        top = absolute(given)
        bids = Bids(top)
        dicom = DicomFolders()
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
                self._set_aside(entry.path, top, f"It could not be read: {entry.detail}.")
            elif is_image_name(entry.path) or entry.path == top:
                self._set_aside(entry.path, top, "Not downloaded (the link leads nowhere).")
            elif not entry.path.suffix:
                self._set_aside(entry.path, top, "A link that leads nowhere.")
        self._add_series(dicom, top, bids)

    def _judge(self, entry: Entry, top: Path, bids: Bids, dicom: DicomFolders) -> None:
        path, place = entry.path, _place(entry.path, top)
        named = self._is_named(path, top)
        if not is_image_name(path) and not (
            named and path.name.lower().endswith(exclusion.NIFTI_PAIR)
        ):
            self._judge_other(entry, top, dicom)
            return
        reason = exclusion.placeholder(entry.readable)
        if reason:
            self._set_aside(path, top, reason)
            return
        if not named:
            reason = bids.why_not(path) or exclusion.labels(entry.readable)
        if reason:
            self._set_aside(path, top, reason, may_be_taken=True)
            return
        case = self.found.get(entry.readable)
        if case is None:
            case = Case(self._name(path), entry.readable, place)
        self.found[entry.readable] = replace(case, named=case.named or named)

    def _judge_other(self, entry: Entry, top: Path, dicom: DicomFolders) -> None:
        """Judge a file whose name is not one of an image."""
        path = entry.path
        if path == top and exclusion.begins_as_dicom(entry.readable):
            for file in sorted(path.parent.iterdir()):
                if file.is_file():
                    dicom.add(file, file)
        elif path == top:
            self._set_aside(path, top, exclusion.not_an_image(path, entry.readable))
        elif reason := exclusion.foreign_format(path):
            self._set_aside(path, top, reason)
        elif exclusion.may_be_dicom(path):
            dicom.add(path, entry.readable)

    def _add_series(self, dicom: DicomFolders, top: Path, bids: Bids) -> None:
        """Add the DICOM series that are TOF scans, and set the others aside."""
        if not dicom.files:
            return
        cases = list(dicom.cases(top)) if self._dicom else []
        for one in cases:
            if not (top.is_dir() or top in one.series.files):
                continue
            named = any(self._is_named(file, top) for file in one.series.files)
            first = one.series.files[0]
            reason, may_be_taken = one.reason, one.may_be_taken
            if not reason and (reason := bids.why_not(first)):
                may_be_taken = True
            if reason and not (may_be_taken and named):
                self._set_aside(first, top, reason, may_be_taken=may_be_taken)
                continue
            case = self.found.get(one.path) or Case(
                self._name(one.name), one.path, _place(one.path, top)
            )
            self.found[one.path] = replace(case, named=case.named or named)
        for folder, count in dicom.unreadable(cases):
            if top.is_dir():
                files = f"{count} DICOM file{'s' * (count > 1)}"
                reason = f"A folder of {files}; {exclusion.DICOM_ADVICE.format(folder.name)}."
                self._set_aside(folder, top, reason)
            else:
                self._set_aside(top, top, exclusion.not_an_image(top, top))

    def _is_named(self, path: Path, top: Path) -> bool:
        place = _place(path, top)
        return path == top or any(
            fnmatchcase(place, pattern) or fnmatchcase(path.name, pattern) for pattern in self._take
        )

    def _note_again(self, entry: Entry, top: Path) -> None:
        if not (is_image_name(entry.path) or entry.readable.is_dir()):
            return
        first = Path(entry.detail)
        what = "folder" if entry.readable.is_dir() else "file"
        self._set_aside(entry.path, top, f"The same {what} as {_place(first, top)}, by a link.")

    def _set_aside(self, path: Path, top: Path, reason: str, *, may_be_taken: bool = False) -> None:
        one = SetAside(_place(path, top), reason, os.fspath(path), may_be_taken)
        self.aside.setdefault(path, one)

    def _name(self, path: Path) -> str:
        # A file given together with its folder is named as if found in the folder.
        folder = next((f for f in self._folders if path.is_relative_to(f)), path.parent)
        below = path.relative_to(folder) if path != folder else Path(path.name)
        return case_name(below.with_name(image_stem(path)))


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
    finding = f"{first.place}: {first.reason.rstrip('.')}"
    if len(aside) > 1:
        finding += f"; and {len(aside) - 1} more"
    if first.path in map(os.fspath, map(absolute, inputs)):
        return f"{finding}."
    return f"There are no scans in {where} ({finding})."


def _listed(aside: Sequence[SetAside]) -> str:
    return "\n".join(f"{one.place}: {one.reason}" for one in aside)
