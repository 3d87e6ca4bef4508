"""The second copy of a journal, best on another disk."""

import os
from pathlib import Path

from cowgan.errors import CowganError
from cowgan.files import open_to_append, read_bytes
from cowgan.turing.reading.disk_errors import disk_errors
from cowgan.turing.reading.records import LARGEST_BYTES


def refuse_unequal_copy(copy: Path, content: bytes, journal: Path) -> None:
    """Raise `CowganError` unless a copy, which may be missing, is the beginning of a journal."""
    with disk_errors(copy):
        copy.parent.mkdir(parents=True, exist_ok=True)
        copied = read_bytes(copy, LARGEST_BYTES) if copy.exists() else b""
    if content.startswith(copied):
        return
    if copied.startswith(content):
        raise CowganError(
            f"{journal} has lost records that its second copy {copy} still has; replace it by "
            "the copy."
        )
    raise CowganError(f"{copy} is not the second copy of {journal}.")


def bring_up_to_date(copy: Path, journal: Path) -> None:
    """Append what a copy lacks.

    Raises
    ------
    CowganError
        The copy cannot be written.
    """
    with disk_errors(copy), open_to_append(copy) as target, journal.open("rb") as source:
        source.seek(target.tell())
        target.write(source.read())
        target.flush()
        os.fsync(target.fileno())
