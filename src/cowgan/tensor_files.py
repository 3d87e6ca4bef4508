"""Safetensors files: bounded reading and deterministic writing."""

import json
import os
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError, safe_open

from cowgan.errors import CowganError
from cowgan.file_kinds import BYTES_NEEDED, SAFETENSORS, what_it_is
from cowgan.files import open_regular

LARGEST_HEADER_BYTES = 2**23
"""Far above the header of a checkpoint; parsed, a header takes sixteen times as much memory."""

_LENGTH_BYTES = 8
_ALIGNMENT = 8


def open_tensors(path: Path, framework: Literal["pt", "numpy"]) -> Any:
    """Open a safetensors file for reading, as `safetensors.safe_open` does.

    Raises
    ------
    CowganError
        It is not a regular file, is of another kind, or cannot be read.
    SafetensorError
        It is damaged, or its header is too long.
    """
    with open_regular(path) as file:
        start = file.read(BYTES_NEEDED)
        size = os.fstat(file.fileno()).st_size
    kind = what_it_is(start)
    if kind not in (None, SAFETENSORS):
        raise CowganError(f"{path.name} is no safetensors file: it is {kind}.")
    header_bytes = int.from_bytes(start[:_LENGTH_BYTES], "little")
    if header_bytes > min(size - _LENGTH_BYTES, LARGEST_HEADER_BYTES):
        raise SafetensorError(f"a header of {header_bytes} bytes in a file of {size}")
    try:
        return safe_open(path, framework=framework)
    except OSError as error:
        raise CowganError(
            f"{path} could not be read: {error.strerror or error}.", repr(error)
        ) from error


def write_serialised(path: Path, content: bytes) -> None:
    """Write serialised safetensors content with sorted metadata.

    Safetensors orders metadata differently from call to call, which would change the SHA-256 of
    models.

    Parameters
    ----------
    path : Path
        Written directly, so usually a path of `cowgan.files.atomic_path`.
    content : bytes
        From `safetensors.torch.save` or `safetensors.numpy.save`.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    end = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "little")
    header = json.loads(content[_LENGTH_BYTES:end])  # noqa: TID251 - made a moment ago
    metadata = header.pop("__metadata__", None)
    if metadata is not None:
        header = {"__metadata__": dict(sorted(metadata.items())), **header}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(_LENGTH_BYTES, "little"))
        file.write(text)
        file.write(memoryview(content)[end:])
