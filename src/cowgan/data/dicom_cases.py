"""DICOM series as cases: which of the series below a folder are TOF scans."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cowgan.data.exclusion import begins_as_dicom
from cowgan.errors import CowganError
from cowgan.volume.dicom import Series, find_series

_EXAMINED = 20
"""Files of a folder that are opened to find out whether it holds DICOM."""


@dataclass(frozen=True)
class DicomCase:
    """A series, and what to open to read it.

    Parameters
    ----------
    series : Series
        Its files.
    path : Path
        A folder that holds no other series that forms a volume, or else a file of the series.
    name : Path
        What its case is named by: `path`, with the number of the series if it is a file.
    reason : str
        Why it is no scan; empty if it is one.
    may_be_taken : bool
        Whether it can still be read.
    """

    series: Series
    path: Path
    name: Path
    reason: str = ""
    may_be_taken: bool = False


@dataclass
class DicomFolders:
    """Gathers the DICOM files of folders, of which only the first few are opened."""

    files: dict[Path, list[Path]] = field(default_factory=dict)
    _others: dict[Path, int] = field(default_factory=dict)

    def add(self, path: Path, readable: Path) -> None:
        """Add a file if it, or a file before it in its folder, is DICOM."""
        folder = path.parent
        if folder not in self.files:
            if self._others.get(folder, 0) >= _EXAMINED:
                return
            if not begins_as_dicom(readable):
                self._others[folder] = self._others.get(folder, 0) + 1
                return
        self.files.setdefault(folder, []).append(path)

    def cases(self, top: Path) -> Iterator[DicomCase]:
        """Yield every series; without SimpleITK there is none.

        Parameters
        ----------
        top : Path
            A series in this folder alone, or with this file, is taken whatever its description.
        """
        try:
            every = find_series(path for files in self.files.values() for path in files)
        except CowganError:
            return
        volumes = [one for one in every if not one.problem]
        for series in every:
            yield _case(series, volumes, top)

    def unreadable(self, cases: Sequence[DicomCase]) -> Iterator[tuple[Path, int]]:
        """Yield the folders of which no file belongs to a series, and how many files they hold."""
        read = {file.parent for case in cases for file in case.series.files}
        for folder, files in self.files.items():
            if not {file.parent for file in files} & read:
                yield folder, len(files)


def _case(series: Series, volumes: Sequence[Series], top: Path) -> DicomCase:
    folder = Path(os.path.commonpath([file.parent for file in series.files]))
    first = series.files[0]
    if series.problem:
        return DicomCase(series, first, first, f"DICOM {series.name}: {series.problem}.")
    alone = all(
        one is series or not any(file.is_relative_to(folder) for file in one.files)
        for one in volumes
    )
    if alone:
        path = name = folder
    elif all(file.parent == folder for file in series.files):
        path, name = first, folder / f"series-{series.number or first.name}"
    else:
        reason = f"DICOM {series.name}: its files lie in several folders, among other series."
        return DicomCase(series, first, first, reason)
    if series.may_be_angiogram or top in (path, *series.files):
        return DicomCase(series, path, name)
    reason = f"DICOM {series.name} is not described as TOF or MRA; name this file to take it."
    return DicomCase(series, first, name, reason, may_be_taken=True)
