"""Reading and writing directions files."""

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import save as serialise

from cowgan.checkpoint import BUNDLED, Checkpoint
from cowgan.documents import checked, parse_json, read_json
from cowgan.errors import CowganError
from cowgan.files import atomic_path, write_json
from cowgan.latent.model_stamp import ModelStamp
from cowgan.synthesis import Direction
from cowgan.tensor_files import open_tensors, write_serialised

SCHEMA = "cowgan.directions/1"
MAX_BYTES = 64 * 2**20
"""Size limit of a file: thousands of directions fit."""

BUNDLED_DIRECTIONS = BUNDLED.with_name("directions.safetensors")


@dataclass(frozen=True)
class StoredDirections:
    """Content of a directions file.

    Attributes
    ----------
    directions : tuple of Direction
        In the stored order.
    model : ModelStamp
        The model they belong to.
    """

    directions: tuple[Direction, ...]
    model: ModelStamp


def save_directions(path: Path, directions: Sequence[Direction], checkpoint: Checkpoint) -> None:
    """Write directions with their names, atomically.

    Parameters
    ----------
    path : Path
        File name in ``.json`` (readable, vectors as base64) or ``.safetensors`` (compact).
    directions : sequence of Direction
        At least one.
    checkpoint : Checkpoint
        Model they belong to.

    Raises
    ------
    CowganError
        There is nothing to save, another suffix, or the file cannot be written.
    """
    path = Path(path)
    if not directions:
        raise CowganError("There are no directions to save.")
    header: dict[str, Any] = {
        "schema": SCHEMA,
        "checkpoint": asdict(ModelStamp.of(checkpoint)),
        "directions": [direction.to_dict() for direction in directions],
    }
    if path.suffix == ".json":
        write_json(path, header)
    elif path.suffix == ".safetensors":
        for entry in header["directions"]:
            del entry["vector"]
        vectors = np.stack([direction.vector for direction in directions])
        with atomic_path(path) as temporary:
            content = serialise({"vectors": vectors}, {"header": json.dumps(header)})
            write_serialised(temporary, content)
    else:
        raise CowganError(
            f"A directions file's name must end in .safetensors or .json, unlike {path.name}."
        )


def load_directions(path: Path, checkpoint: Checkpoint | None = None) -> StoredDirections:
    """Read a directions file.

    Parameters
    ----------
    path : Path
        A file of `save_directions`.
    checkpoint : Checkpoint, optional
        Model they must fit in latent size and number of blocks.

    Raises
    ------
    CowganError
        The file is missing, damaged, of another kind, or does not fit the model.
    """
    path = Path(path)
    if not path.is_file():
        raise CowganError(f"There is no file {path}.")
    header, vectors = _read_safetensors(path) if path.suffix == ".safetensors" else _read_json(path)
    if header.get("schema") != SCHEMA:
        raise CowganError(f"{path.name} is not a directions file that this version can read.")
    found = checked(header, _Header, str(path))
    if vectors is not None and len(vectors) != len(found.directions):
        raise CowganError(
            f"{path.name} is damaged: it has {len(vectors)} vectors for {len(found.directions)} "
            "directions."
        )
    if not found.directions:
        raise CowganError(f"{path.name} is damaged: it holds no directions.")
    directions = tuple(
        Direction.from_dict(entry if vectors is None else entry | {"vector": _encoded(vectors[i])})
        for i, entry in enumerate(found.directions)
    )
    stored = StoredDirections(directions, found.checkpoint)
    if checkpoint is not None:
        _check_fit(stored, checkpoint, path)
    return stored


def stored_directions(checkpoint: Checkpoint) -> list[Direction] | None:
    """Return the bundled directions of the bundled model, or None for any other model.

    The model is identified by its SHA-256, so copies of the file have them too.
    """
    if not BUNDLED_DIRECTIONS.exists():
        return None
    stored = load_directions(BUNDLED_DIRECTIONS)
    return list(stored.directions) if stored.model.fits(checkpoint) else None


@dataclass(frozen=True)
class _Header:
    schema: str
    checkpoint: ModelStamp
    directions: tuple[dict[str, Any], ...]


def _read_json(path: Path) -> tuple[dict[str, Any], None]:
    return read_json(path, dict[str, Any], MAX_BYTES), None


def _read_safetensors(path: Path) -> tuple[dict[str, Any], NDArray[np.float32]]:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CowganError(f"{path.name} is too large to be a directions file.")
        with open_tensors(path, "numpy") as file:
            text = (file.metadata() or {}).get("header", "")
            header = parse_json(text, dict[str, Any], f"The header of {path.name}")
            stored = file.get_slice("vectors")
            # Checked before reading, as numpy lacks some of the types of safetensors.
            if stored.get_dtype() != "F32" or len(stored.get_shape()) != 2:
                raise ValueError(f"vectors are {stored.get_dtype()} {stored.get_shape()}")
            return header, file.get_tensor("vectors")
    except (SafetensorError, OSError, ValueError) as error:
        raise CowganError(
            f"{path.name} is damaged or not a directions file.", repr(error)
        ) from error


def _encoded(vector: NDArray[np.float32]) -> str:
    return b64encode(vector.astype("<f4").tobytes()).decode("ascii")


def _check_fit(stored: StoredDirections, checkpoint: Checkpoint, path: Path) -> None:
    config = checkpoint.config
    for direction in stored.directions:
        if direction.vector.size != config.latent_dim or direction.last_block >= config.n_blocks:
            raise CowganError(
                f"The directions in {path.name} were found in “{stored.model.name}”, a model "
                f"of another architecture, and do not fit “{checkpoint.card.name}”."
            )
