"""Key frame files of movies."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from cowgan import __version__
from cowgan.checkpoint import Checkpoint
from cowgan.documents import checked, read_json
from cowgan.errors import CowganError
from cowgan.files import write_json
from cowgan.latent.easing import Easing
from cowgan.latent.movies import Contrast, Keyframe, Movie
from cowgan.synthesis import LatentState
from cowgan.volume.orthographic import Camera

SCHEMA = "cowgan.movie/1"
SUFFIX = ".movie.json"


def movie_document(movie: Movie) -> dict[str, Any]:
    """Return a JSON-serialisable dictionary of everything that decides a movie."""
    content: dict[str, Any] = {"schema": SCHEMA, "software": f"napari-cowgan {__version__}"}
    content |= {one.name: getattr(movie, one.name) for one in fields(movie)}
    content["keyframes"] = [
        {
            **vars(keyframe),
            "state": keyframe.state.to_dict(),
            "camera": vars(keyframe.camera),
            "contrast": vars(keyframe.contrast),
        }
        for keyframe in movie.keyframes
    ]
    return content


def write_movie(movie: Movie, path: Path) -> None:
    """Write a key frame file, atomically.

    Raises
    ------
    CowganError
        The file cannot be written.
    """
    write_json(path, movie_document(movie))


def read_movie(path: Path) -> Movie:
    """Read a key frame file.

    Raises
    ------
    CowganError
        The file is missing, damaged, of another kind or from a newer version.
    """
    return stored_movie(read_json(path, dict[str, Any]), path)


def stored_movie(content: dict[str, Any], path: Path) -> Movie:
    """Return the movie of a `movie_document` that was read from a file.

    Raises
    ------
    CowganError
        The content is damaged, of another kind or from a newer version.
    """
    if content.get("schema") != SCHEMA:
        raise CowganError(f"{path.name} is not a file of key frames that this version can open.")
    stored = vars(checked(content, _Stored, str(path)))
    del stored["schema"], stored["software"]
    try:
        keyframes = tuple(
            Keyframe(**{**vars(one), "state": LatentState.from_dict(one.state)})
            for one in stored.pop("keyframes")
        )
        return Movie(keyframes, **stored)
    except CowganError as error:
        raise CowganError(
            f"{path} cannot be shown as a movie: {error.sentence}", error.detail
        ) from error


def check_model(movie: Movie, checkpoint: Checkpoint) -> None:
    """Raise `CowganError` if the states of a movie were made with another model."""
    if movie.model_sha256 not in (None, checkpoint.sha256):
        raise CowganError(
            f"These key frames were made with the model “{movie.model_name}”, not with "
            f"“{checkpoint.card.name}”; open that model instead."
        )


@dataclass(frozen=True)
class _StoredKeyframe:
    state: dict[str, Any]
    camera: Camera
    contrast: Contrast
    frames: int
    easing: Easing
    space: Literal["z", "w"]
    noise: Literal["blend", "redraw"]
    turns: int


@dataclass(frozen=True)
class _Stored:
    schema: str
    software: str
    keyframes: tuple[_StoredKeyframe, ...]
    model_name: str | None
    model_sha256: str | None
    frames_per_second: int
    width: int
    height: int
    loop: bool
    colours: tuple[str, ...]
    mark_synthetic: bool
