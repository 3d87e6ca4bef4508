"""Refusals of a disk, told to a reader."""

from collections.abc import Iterator
from contextlib import contextmanager
from errno import EACCES, EDQUOT, EFBIG, ENOSPC, EPERM, EROFS
from pathlib import Path

from cowgan.errors import CowganError

_FULL = {ENOSPC, EDQUOT, EFBIG}
_FORBIDDEN = {EACCES, EPERM, EROFS}


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Raise `CowganError`, with what to do about it, where a file cannot be written."""
    try:
        yield
    except OSError as error:
        raise CowganError(_sentence(path, error), repr(error)) from error


def _sentence(path: Path, error: OSError) -> str:
    if error.errno in _FULL:
        return (
            f"The disk of {path} is full; free some space, then go on: nothing is lost as long as "
            "this window stays open."
        )
    if error.errno in _FORBIDDEN:
        return f"{path.parent} cannot be written; use a folder of your own."
    return f"{path} could not be written: {error.strerror or error}."
