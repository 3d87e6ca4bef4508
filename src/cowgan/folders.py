"""Atomic creation of folders."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cowgan.errors import CowganError
from cowgan.locking import AlreadyHeld, HeldLock


def refuse_existing(target: Path) -> None:
    """Raise `CowganError` if there is a file or folder of this name."""
    if os.path.lexists(target):
        raise CowganError(f"{target} exists already; choose another name.")


@contextmanager
def folder_in_the_making(
    target: Path, needed_bytes: int, check: Callable[[Path], None] = refuse_existing
) -> Iterator[Path]:
    """Yield a hidden folder beside `target` that replaces it on success.

    On error it is removed and an existing target is unchanged. Remains of a killed process are
    removed when the same target is created again.

    Parameters
    ----------
    target : Path
        The folder to create.
    needed_bytes : int
        Required disk space.
    check : callable, optional
        Called with the target before and after the work; raises `CowganError` if it must
        not be created or replaced.

    Raises
    ------
    CowganError
        `check` refuses, another process is creating the target, disk space is insufficient, or
        the folder cannot be written.
    """
    target = Path(target)
    part, old = (target.with_name(f".{what}-{target.name}") for what in ("part", "old"))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        lock = HeldLock(part.with_name(f"{part.name}.lock"))
    except AlreadyHeld as error:
        raise CowganError(f"{target} is being made by another process.") from error
    except OSError as error:
        raise _not_written(target, error) from error
    try:
        _clear_up_after_killed(part, old, target)
        check(target)
        free_bytes = shutil.disk_usage(target.parent).free
        if free_bytes < needed_bytes:
            raise CowganError(
                f"{target} needs {needed_bytes / 1e9:.2f} GB, but only {free_bytes / 1e9:.2f} GB "
                "are free there."
            )
        part.mkdir()
        yield part
        for path in part.rglob("*"):
            if path.is_file():
                with path.open("rb+") as file:
                    os.fsync(file.fileno())
        check(target)
        _take_the_place(part, old, target)
    except OSError as error:
        raise _not_written(target, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
        lock.remove()


def _clear_up_after_killed(part: Path, old: Path, target: Path) -> None:
    shutil.rmtree(part, ignore_errors=True)
    if old.exists() and not target.exists():
        # Killed between the two renames of `_take_the_place`: the old folder is restored.
        old.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def _take_the_place(part: Path, old: Path, target: Path) -> None:
    replaces = target.exists()
    if replaces:
        target.rename(old)
    try:
        part.rename(target)
    except OSError:
        if replaces:
            old.rename(target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _not_written(target: Path, error: OSError) -> CowganError:
    return CowganError(f"{target} could not be written: {error.strerror or error}.", repr(error))
