"""The key frames that the explorer keeps for each model."""

from contextlib import suppress
from pathlib import Path

from cowgan.checkpoint import Checkpoint
from cowgan.errors import CowganError
from cowgan.latent.movie_files import SUFFIX, read_movie, write_movie
from cowgan.latent.movies import Keyframe, Movie
from napari_cowgan.explorer.kept_files import kept_path


def keyframes_path(checkpoint: Checkpoint) -> Path | None:
    """Return the path of a model's key frames; None for a model without a file."""
    return kept_path(checkpoint, "movies", SUFFIX)


def read_keyframes(checkpoint: Checkpoint) -> tuple[Keyframe, ...]:
    """Read the key frames of a model.

    Raises
    ------
    CowganError
        The file is damaged; it is renamed if possible, so that nothing overwrites it.
    """
    path = keyframes_path(checkpoint)
    if path is None or not path.exists():
        return ()
    try:
        return read_movie(path).keyframes
    except CowganError as error:
        aside = path.with_name(f"damaged-{path.name}")
        with suppress(OSError):
            path.replace(aside)
        raise CowganError(
            f"The key frames of this model could not be read; the file was set aside as {aside}.",
            f"{error.sentence}\n{error.detail}",
        ) from error


def write_keyframes(checkpoint: Checkpoint, keyframes: tuple[Keyframe, ...]) -> None:
    """Store the key frames of a model; do nothing for a model without a file."""
    path = keyframes_path(checkpoint)
    if path is None:
        return
    if keyframes:
        write_movie(Movie(keyframes, checkpoint.card.name, checkpoint.sha256), path)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)
