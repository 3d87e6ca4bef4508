"""What lies in a folder and behind its links, each file once, and what links lead nowhere."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cowgan.errors import CowganError
from cowgan.file_kinds import stored_link
from cowgan.files import absolute, open_regular
from cowgan.volume.formats import is_image_name

_LONGEST_STORED_LINK = 4096
_ANNEX_STORE = ("annex", "objects")


@dataclass(frozen=True)
class Entry:
    """A file or folder that was come across.

    Parameters
    ----------
    path : Path
        By which it was reached, absolute; links are not resolved.
    kind : {"folder", "file", "dangling", "again", "store", "unreadable"}
        ``"folder"`` comes before what is in it. ``"dangling"``: a link that leads nowhere;
        ``"again"``: by links the same as something that came before, and not entered again;
        ``"store"``: where git-annex keeps its files, which links name; not entered either.
    told : str
        With ``"again"`` the earlier path, with ``"unreadable"`` the reason.
    target : Path, optional
        What is to be opened, if it is not `path`: the end of a link that is stored as text.
    """

    path: Path
    kind: Literal["folder", "file", "dangling", "again", "store", "unreadable"]
    told: str = ""
    target: Path | None = None

    @property
    def readable(self) -> Path:
        """What is to be opened."""
        return self.target or self.path


@dataclass
class FolderWalk:
    """Goes through files and folders; a thing that is reached twice counts once.

    Links are followed, also those that git stores as text where a system has none. Hidden
    files and folders are left out.
    """

    _seen: dict[tuple[int, int] | str, Path] = field(default_factory=dict)

    def entries(self, given: Path) -> Iterator[Entry]:
        """Yield a file, or a folder and what is below it, sorted by name in each folder."""
        yield from self._visit(absolute(given))

    def _visit(self, path: Path, target: Path | None = None) -> Iterator[Entry]:
        reached = target or path
        try:
            status = reached.stat()
        except OSError as error:
            if os.path.lexists(reached) and not reached.is_symlink():
                yield Entry(path, "unreadable", error.strerror or str(error))
            else:
                yield Entry(path, "dangling")
            return
        is_folder = stat.S_ISDIR(status.st_mode)
        if target is None and (end := _end_of_stored_link(path, status)):
            yield from self._visit(path, end)
            return
        # Some file systems number no files.
        numbered = (status.st_dev, status.st_ino) if status.st_ino else str(reached.resolve())
        # By a link of another name, a scan would not be known as one.
        counts = is_folder or is_image_name(path)
        first = self._seen.setdefault(numbered, path) if counts else path
        if first != path:
            yield Entry(path, "again", str(first), target)
        elif not is_folder:
            yield Entry(path, "file", target=target)
        elif path.parts[-2:] == _ANNEX_STORE:
            yield Entry(path, "store")
        else:
            yield from self._enter(path, reached, target)

    def _enter(self, path: Path, reached: Path, target: Path | None) -> Iterator[Entry]:
        try:
            names = sorted(entry.name for entry in os.scandir(reached))
        except OSError as error:
            yield Entry(path, "unreadable", error.strerror or str(error))
            return
        yield Entry(path, "folder", target=target)
        for name in names:
            if not name.startswith("."):
                # Below a link that is stored as text, names lead on only from its end.
                yield from self._visit(path / name, None if target is None else reached / name)


def _end_of_stored_link(path: Path, status: os.stat_result) -> Path | None:
    """Return where a link leads that is stored as the text of a small file."""
    is_image = is_image_name(path)
    if (
        not stat.S_ISREG(status.st_mode)
        or not 0 < status.st_size <= _LONGEST_STORED_LINK
        or not (is_image or not path.suffix)
    ):
        return None
    try:
        with open_regular(path) as file:
            link = stored_link(file.read(_LONGEST_STORED_LINK))
    except (CowganError, OSError):
        return None
    end = None if link is None else Path(os.path.normpath(path.parent / link))
    # Of what leads nowhere, only an image is known to be a link and not any other text.
    return end if end is not None and (is_image or end.exists()) else None
