"""Atomic writing of files, and safe, bounded reading of untrusted ones.

Folders may be untrusted, such as a returned study package: only regular files are opened, and
writing affects no other file.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader, BufferedWriter
from pathlib import Path, PurePosixPath
from typing import Any
from uuid import uuid4

from cowgan.errors import CowganError
from cowgan.file_kinds import TEXT, what_it_is
from cowgan.text import decoded

_READ_FLAGS = (
    os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)  # fmt: skip
_APPEND_FLAGS = (
    os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_BINARY", 0)
)  # fmt: skip
_STEPS = frozenset("\\:\0")
"""Characters that change the path on some system."""


@contextmanager
def atomic_path(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target` that replaces it on success.

    The temporary file ends with the name of the target, for writers that choose a format by
    suffix. It is flushed to disk before the rename; on error it is removed and an existing target
    is unchanged.

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


def open_regular(path: Path) -> BufferedReader:
    """Open a regular file for reading.

    All untrusted files are opened here: a pipe would block, and a device such as ``/dev/zero``
    never ends.

    Raises
    ------
    CowganError
        It is missing, cannot be read, or is a folder, pipe, socket or device.
    """
    path = Path(path)
    try:
        # Before opening, which has side effects on some devices.
        _refuse_irregular(path, path.stat().st_mode)
        return os.fdopen(_open(path, _READ_FLAGS), "rb")
    except FileNotFoundError as error:
        link = path.is_symlink()
        what = "is a link that leads nowhere, so the file is missing" if link else "is missing"
        raise CowganError(f"{path} {what}.", repr(error)) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CowganError(f"{path} could not be read: {reason}.", repr(error)) from error


def open_to_append(path: Path) -> BufferedWriter:
    """Open a file for appending; it is created if missing.

    Raises
    ------
    CowganError
        It is a link, which could point to any file, or a folder, pipe, socket or device.
    OSError
        It cannot be created or written.
    """
    path = Path(path)
    if path.is_symlink():
        raise CowganError(f"{path} is a link to another file, so nothing is written to it.")
    with suppress(FileNotFoundError):
        _refuse_irregular(path, path.stat().st_mode)
    return os.fdopen(_open(path, _APPEND_FLAGS), "ab")


def absolute(path: Path) -> Path:
    """Return an absolute path without resolving links."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve follows links


def read_bytes(path: Path, limit: int) -> bytes:
    """Return the content of a regular file.

    Parameters
    ----------
    path : Path
        See `open_regular`.
    limit : int
        Largest size in bytes; a larger file is not read.

    Raises
    ------
    CowganError
        As for `open_regular`, or the file is larger than `limit`.
    """
    with open_regular(path) as file:
        try:
            size = os.fstat(file.fileno()).st_size
            large = size > limit
            content = b"" if large else file.read(size + 1)
            if len(content) > size:
                # Some system files state no size, and any file may be growing.
                content += file.read(limit + 1 - len(content))
        except OSError as error:
            raise CowganError(
                f"{path} could not be read: {error.strerror or error}.", repr(error)
            ) from error
    if large or len(content) > limit:
        raise CowganError(
            f"{path} is larger than any file of its kind.", f"more than {limit:,} bytes"
        )
    return content


def read_text(path: Path, limit: int) -> str:
    """Return the text of a regular file; see `cowgan.text.decoded`.

    Parameters
    ----------
    path, limit
        See `read_bytes`.

    Raises
    ------
    CowganError
        As for `read_bytes`, or it is not text, or is a placeholder of a file that was never
        downloaded.
    """
    content = read_bytes(path, limit)
    kind = what_it_is(content) if content else None
    if kind not in (None, TEXT):
        raise CowganError(f"{path} is {kind}.")
    try:
        return decoded(content)
    except UnicodeDecodeError as error:
        raise CowganError(
            f"{path} is not text in UTF-8; save it again with this encoding.", repr(error)
        ) from error


def path_inside(folder: Path, name: str) -> Path:
    """Return the path of a file named in a manifest, which must be inside a folder.

    Parameters
    ----------
    folder : Path
        The folder.
    name : str
        Relative path from the manifest.

    Raises
    ------
    CowganError
        The path leads out of the folder, directly or by a link.
    """
    plain = PurePosixPath(name)
    confined = plain.as_posix() == name and ".." not in plain.parts and not _STEPS & set(name)
    path = Path(folder) / name
    try:
        confined = confined and path.resolve().is_relative_to(Path(folder).resolve())
    except (OSError, RuntimeError):
        confined = False
    if not confined:
        raise CowganError(f"{folder} names a file that does not lie in it.", repr(name))
    return path


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a regular file as 64 hexadecimal digits.

    Raises
    ------
    CowganError
        As for `open_regular`.
    """
    with open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _open(path: Path, flags: int) -> int:
    """Return a file descriptor after checking that the opened file is regular."""
    descriptor = os.open(path, flags, 0o644)
    try:
        _refuse_irregular(path, os.fstat(descriptor).st_mode)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _refuse_irregular(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise CowganError(f"{path} is a folder and not a file.")
    if not stat.S_ISREG(mode):
        raise CowganError(f"{path} is a pipe, socket or device and not a file.")
