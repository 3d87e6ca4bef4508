"""Directory traversal that follows links, visits every file once and reports dangling links."""

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
    """A file or folder found by `FolderWalk`.

    Parameters
    ----------
    path : Path
        Absolute path by which it was reached; links are not resolved.
    kind : {"folder", "file", "dangling", "again", "store", "unreadable"}
        ``"folder"`` precedes its content. ``"dangling"``: a broken link; ``"again"``: the same
        file or folder as an earlier one, reached by links and not entered again; ``"store"``:
        the object store of git-annex, not entered.
    detail : str
        The earlier path for ``"again"``, the reason for ``"unreadable"``.
    target : Path, optional
        Path to open instead of `path`: the target of a link stored as text.
    """

    path: Path
    kind: Literal["folder", "file", "dangling", "again", "store", "unreadable"]
    detail: str = ""
    target: Path | None = None

    @property
    def readable(self) -> Path:
        """The path to open."""
        return self.target or self.path


@dataclass
class FolderWalk:
    """Traversal of files and folders that visits each once.

    Links are followed, including links that git stores as text on systems without links. Hidden
    files and folders are skipped.
    """

    _seen: dict[tuple[int, int] | str, Path] = field(default_factory=dict)

    def entries(self, given: Path) -> Iterator[Entry]:
        """Yield a file, or a folder and its content, sorted by name within each folder."""
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
        # Some file systems have no inode numbers.
        numbered = (status.st_dev, status.st_ino) if status.st_ino else str(reached.resolve())
        # A scan may be reached first by a link whose name is not that of an image.
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
                # Below a link stored as text, paths continue from its target.
                yield from self._visit(path / name, None if target is None else reached / name)


def _end_of_stored_link(path: Path, status: os.stat_result) -> Path | None:
    """Return the target of a link that is stored as text in a small file, or None."""
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
    # A text file with a missing target is a link only if its name is that of an image.
    return end if end is not None and (is_image or end.exists()) else None
