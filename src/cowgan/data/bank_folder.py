"""A bank's folder appears whole or not at all."""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from cowgan.data.bank_format import CASES_FILE, DESCRIPTION_FILE, VOXELS_FILE
from cowgan.errors import CowganError

if sys.platform != "win32":
    import fcntl

_BANK_FILES = {VOXELS_FILE, DESCRIPTION_FILE, CASES_FILE}
_PART, _OLD = ".part-", ".old-"


def refuse_target(target: Path, overwrite: bool) -> None:
    """Raise `CowganError` unless a bank may be written to `target`.

    An empty folder may always be filled. Overwriting replaces a bank, even a damaged one,
    but never a folder in which anything else lies.
    """
    target = Path(target)
    if not os.path.lexists(target):
        return
    if not target.is_dir() or target.is_symlink():
        raise CowganError(f"{target} is a file or a link and not a folder; choose another name.")
    found = {path.name for path in target.iterdir()}
    if not found <= _BANK_FILES:
        raise CowganError(
            f"{target} holds files that are not part of a bank; choose another folder."
        )
    if found and not overwrite:
        raise CowganError(f"{target} exists already; choose another name or allow overwriting.")


@contextmanager
def folder_in_the_making(target: Path, needed_bytes: int, overwrite: bool) -> Iterator[Path]:
    """Yield a new folder beside `target` that takes its place on success.

    On any error the folder is removed and an existing bank stays. What killed processes
    left behind is removed by the next bank of the same name.

    Parameters
    ----------
    target : Path
        The folder to come.
    needed_bytes : int
        Refuse to begin if the disk has less space.
    overwrite : bool
        As for `refuse_target`.

    Raises
    ------
    CowganError
        See `refuse_target`; or the folder cannot be created or written, or the disk has
        not enough space.
    """
    target = Path(target)
    tag = uuid4().hex[:8]
    part = target.with_name(f"{_PART}{tag}-{target.name}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _clear_up_after_killed(target)
        refuse_target(target, overwrite)
        free_bytes = shutil.disk_usage(target.parent).free
        if free_bytes < needed_bytes:
            raise CowganError(
                f"The bank needs {needed_bytes / 1e9:.1f} GB, but only {free_bytes / 1e9:.1f} GB "
                f"are free where {target} would be."
            )
        part.mkdir()
        with _held(part):
            yield part
            for path in part.iterdir():
                with path.open("rb+") as file:
                    os.fsync(file.fileno())
            _take_the_place(part, target, target.with_name(f"{_OLD}{tag}-{target.name}"))
    except OSError as error:
        raise CowganError(
            f"{target} could not be written: {error.strerror or error}.", repr(error)
        ) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _take_the_place(part: Path, target: Path, old: Path) -> None:
    replaces = target.exists()
    if replaces:
        target.rename(old)
    try:
        part.rename(target)
    except OSError:
        if replaces:
            old.rename(target)
        raise
    if replaces:
        shutil.rmtree(old, ignore_errors=True)


def _clear_up_after_killed(target: Path) -> None:
    for path in target.parent.iterdir():
        if not path.name.endswith(f"-{target.name}") or not path.is_dir():
            continue
        if path.name.startswith(_PART) and not _is_held(path):
            shutil.rmtree(path, ignore_errors=True)
        elif path.name.startswith(_OLD):
            # Killed between the two renames of `_take_the_place`: the old bank comes back.
            if target.exists():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.rename(target)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Lock a folder as long as this process lives."""
    if sys.platform == "win32":
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network disks have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _is_held(folder: Path) -> bool:
    """Tell whether a process may still be writing to a folder."""
    if sys.platform == "win32":
        return True
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
