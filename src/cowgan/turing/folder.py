"""A folder that appears whole or not at all."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cowgan.errors import CowganError
from cowgan.locking import AlreadyHeld, HeldLock


@contextmanager
def folder_in_the_making(target: Path, needed_bytes: int) -> Iterator[Path]:
    """Yield a hidden folder beside `target` that becomes it on success.

    On any error it is removed; what a killed process left behind is removed by the next
    one that makes the same target.

    Parameters
    ----------
    target : Path
        Must not exist.
    needed_bytes : int
        Refuse to begin if the disk has less space.

    Raises
    ------
    CowganError
        The target exists or is being made by another process, the disk has not enough
        space, or the folder cannot be written.
    """
    target = Path(target)
    part = target.with_name(f".part-{target.name}")
    lock_file = part.with_name(f"{part.name}.lock")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        refuse_existing(target)
        lock = HeldLock(lock_file)
    except AlreadyHeld as error:
        raise CowganError(f"{target} is being made by another process.") from error
    except OSError as error:
        raise _not_written(target, error) from error
    try:
        shutil.rmtree(part, ignore_errors=True)
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
        refuse_existing(target)
        part.rename(target)
    except OSError as error:
        raise _not_written(target, error) from error
    finally:
        shutil.rmtree(part, ignore_errors=True)
        lock.release()
        with suppress(OSError):
            lock_file.unlink(missing_ok=True)


def refuse_existing(target: Path) -> None:
    """Raise `CowganError` if there is a file or folder of this name."""
    if os.path.lexists(target):
        raise CowganError(f"{target} exists already; choose another name.")


def _not_written(target: Path, error: OSError) -> CowganError:
    return CowganError(f"{target} could not be written: {error.strerror or error}.", repr(error))
