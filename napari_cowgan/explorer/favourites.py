"""Favourites of a model, stored on disk."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cowgan.checkpoint import Checkpoint
from cowgan.documents import checked, read_json
from cowgan.errors import CowganError
from cowgan.files import write_json
from cowgan.synthesis import LatentState
from napari_cowgan.explorer.kept_files import kept_path


@dataclass(frozen=True)
class Favourite:
    """A named latent state."""

    name: str
    state: LatentState

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serialisable dictionary."""
        return {"name": self.name, "state": self.state.to_dict()}

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "Favourite":
        """Create a favourite from the result of `to_dict`."""
        stored = checked(content, _Stored, "A stored favourite")
        return cls(stored.name, LatentState.from_dict(stored.state))


@dataclass(frozen=True)
class _Stored:
    name: str
    state: dict[str, Any]


def favourites_path(checkpoint: Checkpoint) -> Path | None:
    """Return the path of a model's favourites; None for a model without a file."""
    return kept_path(checkpoint, "favourites", ".json")


def read_favourites(checkpoint: Checkpoint) -> list[Favourite]:
    """Read the favourites of a model.

    Raises
    ------
    CowganError
        The file is damaged; it is renamed if possible, so that nothing overwrites it.
    """
    path = favourites_path(checkpoint)
    if path is None or not path.exists():
        return []
    try:
        return [Favourite.from_dict(entry) for entry in read_json(path, list[dict[str, Any]])]
    except CowganError as error:
        aside = path.with_suffix(".damaged.json")
        with suppress(OSError):
            path.replace(aside)
        raise CowganError(
            f"The favourites of this model could not be read; the file was set aside as {aside}.",
            f"{error.sentence}\n{error.detail}",
        ) from error


def write_favourites(checkpoint: Checkpoint, favourites: list[Favourite]) -> None:
    """Store the favourites of a model; do nothing for a model without a file."""
    path = favourites_path(checkpoint)
    if path is not None:
        write_json(path, [favourite.to_dict() for favourite in favourites])
