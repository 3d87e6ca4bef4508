"""Zip archives and NumPy arrays, judged by what they state before anything is unpacked."""

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
"""Bytes that the list of files at the end of an archive may take: some 50 000 files. Read,
each takes ten times as much."""

_MOST = _LARGEST_LIST + 1

_UNREADABLE = (
    OSError,
    EOFError,
    KeyError,
    MemoryError,
    # Encrypted, or packed by an unknown method.
    RuntimeError,
    TypeError,
    ValueError,
    BadZipFile,
    lzma.LZMAError,
    zlib.error,
)
"""What a damaged archive can raise."""

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
    """Tell in one sentence what is wrong with an archive that is opened or read."""
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
        It is no regular file, damaged, or lists far too many files.
    """
    with open_regular(path) as file:
        with unpacking(path):
            archive = ZipFile(cast(IO[bytes], _Listed(file)))
            archive.fp = file
        with archive:
            yield archive


class _Listed:
    """What is read of an archive to list its files, and no longer list."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self.tell, self.seek, self.seekable = file.tell, file.seek, file.seekable

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes, as the archive states, or all that are left."""
        content = self._file.read(min(size, _MOST) if size >= 0 else _MOST)
        if len(content) == _MOST:
            raise BadZipFile(f"its list of files takes more than {_LARGEST_LIST} bytes")
        return content


def read_member(archive: ZipFile, name: str, limit: int, path: Path) -> bytes:
    """Return a file of an archive.

    Parameters
    ----------
    archive : ZipFile
        See `open_archive`.
    name : str
        Of a file that it lists.
    limit : int
        Most bytes to unpack, whatever the archive says.
    path : Path
        Of the archive.

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
    """Return shape, whether it is in Fortran order, and type of an array in NumPy's format.

    Raises
    ------
    ValueError
        It is no such array, or of a newer version of the format than 1.0.
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
