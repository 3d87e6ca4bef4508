"""Safetensors files: the same content always gives the same bytes."""

import json
from pathlib import Path

_LENGTH_BYTES = 8
_ALIGNMENT = 8


def write_serialised(path: Path, content: bytes) -> None:
    """Write what safetensors serialised, with its metadata in the order of their names.

    Safetensors itself writes metadata in an order that differs from call to call, and with
    it the SHA-256 by which models are known.

    Parameters
    ----------
    path : Path
        Written at once, so usually a path of `cowgan.files.atomic_path`.
    content : bytes
        From `safetensors.torch.save` or `safetensors.numpy.save`.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    end = _LENGTH_BYTES + int.from_bytes(content[:_LENGTH_BYTES], "little")
    header = json.loads(content[_LENGTH_BYTES:end])
    metadata = header.pop("__metadata__", None)
    if metadata is not None:
        header = {"__metadata__": dict(sorted(metadata.items())), **header}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    with path.open("wb") as file:
        file.write(len(text).to_bytes(_LENGTH_BYTES, "little"))
        file.write(text)
        file.write(memoryview(content)[end:])
