"""Writing files so that a failure never leaves half of one behind, and reading bounded ones."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISREG
from typing import Any
from uuid import uuid4

from cowgan.errors import CowganError


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target` that replaces it on success.

    The temporary file keeps the target's name as its ending, so writers that choose a
    format by suffix work. It is flushed to disk before the rename; on any error it is
    removed and an existing target stays as it was.

    Raises
    ------
    CowganError
        The folder cannot be created or written, or the disk is full.
    """
    target = Path(target)
    temporary = target.with_name(f".part-{uuid4().hex[:8]}-{target.name}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as written:
            os.fsync(written.fileno())
        temporary.replace(target)
    except OSError as error:
        raise CowganError(
            f"{target} could not be written: {error.strerror or error}.", repr(error)
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_json(target: Path, content: Any) -> None:
    """Write `content` as indented JSON, atomically."""
    with atomic_path(target) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def read_bytes(path: Path, limit: int) -> bytes:
    """Return what a file holds.

    Parameters
    ----------
    path : Path
        A regular file: anything else, such as a pipe, could block or never end.
    limit : int
        Largest size in bytes.

    Raises
    ------
    CowganError
        It is missing, no regular file, larger, or cannot be read.
    """
    try:
        if not S_ISREG(path.stat().st_mode):
            raise CowganError(f"{path} is not a file.")
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise CowganError(
            f"{path} could not be read: {error.strerror or error}.", repr(error)
        ) from error
    if len(content) > limit:
        raise CowganError(f"{path} is larger than the {limit / 1e6:,.0f} MB that it can have.")
    return content


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
