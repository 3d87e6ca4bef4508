"""Bounded reading of zip archives and NumPy array headers."""

import lzma
import tokenize
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, cast
from zipfile import BadZipFile, ZipFile

import numpy as np

from cowgan.errors import CowganError
from cowgan.files import open_regular

_LARGEST_LIST = 2**22
"""Largest central directory of an archive in bytes: about 50 000 files, which take ten times as
much memory."""

_MOST = _LARGEST_LIST + 1

_UNREADABLE = (
    OSError,
    EOFError,
    KeyError,
    MemoryError,
    # Encryption or an unknown compression method.
    RuntimeError,
    TypeError,
    ValueError,
    BadZipFile,
    lzma.LZMAError,
    zlib.error,
)
"""Errors of damaged archives."""

_ODD_HEADER = (
    AttributeError,
    EOFError,
    KeyError,
    MemoryError,
    OverflowError,
    RecursionError,
    SyntaxError,
    TypeError,
    tokenize.TokenError,
)


@contextmanager
def unpacking(path: Path) -> Iterator[None]:
    """Convert errors of opening or reading an archive to `CowganError`."""
    try:
        yield
    except _UNREADABLE as error:
        raise CowganError(
            f"{path} could not be read; it may be damaged or encrypted.", repr(error)
        ) from error


@contextmanager
def open_archive(path: Path) -> Iterator[ZipFile]:
    """Yield a zip archive for reading.

    Raises
    ------
    CowganError
        It is not a regular file, is damaged, or lists too many files.
    """
    with open_regular(path) as file:
        with unpacking(path):
            archive = ZipFile(cast(IO[bytes], _Listed(file)))
            archive.fp = file
        with archive:
            yield archive


class _Listed:
    """A file that limits the size of the central directory read by `ZipFile`."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self.tell, self.seek, self.seekable = file.tell, file.seek, file.seekable

    def read(self, size: int = -1) -> bytes:
        """Read `size` bytes, or the rest."""
        content = self._file.read(min(size, _MOST) if size >= 0 else _MOST)
        if len(content) == _MOST:
            raise BadZipFile(f"its list of files takes more than {_LARGEST_LIST} bytes")
        return content


def read_member(archive: ZipFile, name: str, limit: int, path: Path) -> bytes:
    """Return the content of a file in an archive.

    Parameters
    ----------
    archive : ZipFile
        See `open_archive`.
    name : str
        Name of the file.
    limit : int
        Largest unpacked size in bytes.
    path : Path
        Path of the archive, for messages.

    Raises
    ------
    CowganError
        The file is larger or damaged.
    """
    content = None
    if archive.getinfo(name).file_size <= limit:
        with unpacking(path), archive.open(name) as file:
            content = file.read(limit + 1)
    if content is None or len(content) > limit:
        raise CowganError(
            f"{name} in {path} unpacks to more than any file of its kind holds.",
            f"more than {limit:,} bytes",
        )
    return content


def read_npy_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, Fortran order and type from the header of an array in NumPy's format.

    Raises
    ------
    ValueError
        It is not such an array, or not of format version 1.0.
    """
    try:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueError(f"NPY version {version}")
        shape, fortran_order, data_type = np.lib.format.read_array_header_1_0(file)
    except _ODD_HEADER as error:
        raise ValueError(f"NPY header: {error!r:.200}") from error
    if min(shape, default=0) < 0:
        raise ValueError(f"shape {shape}")
    return shape, fortran_order, data_type
