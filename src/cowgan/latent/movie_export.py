"""Export of movies: MP4, GIF, and series of NIfTI volumes."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from itertools import chain, groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cowgan import __version__
from cowgan.errors import CowganError
from cowgan.files import absolute, atomic_path
from cowgan.folders import folder_in_the_making
from cowgan.latent.movie_files import SUFFIX, write_movie
from cowgan.latent.movie_frames import colour_table, pictures, rendered_frames
from cowgan.latent.movies import Movie
from cowgan.progress import Progress, Silent, advance
from cowgan.synthesis import Synthesizer
from cowgan.volume import Volume, write_nifti

KEYFRAMES_NAME = f"keyframes{SUFFIX}"

_CONSTANT_RATE_FACTOR = "16"
"""Of x264: vessels keep their edges, at a few megabytes a minute."""
_SHORTEST_GIF_FRAME_MS = 20
"""Programs show shorter ones slowly."""
_BYTES_PER_VOXEL = 4
_LARGEST_STACK_BYTES = 8 * 10**9


def export_movie(
    movie: Movie,
    synthesizer: Synthesizer,
    target: Path,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> None:
    """Write a movie to an MP4 or GIF file, or its volumes to a new folder.

    A name without a suffix is a folder, of one NIfTI and JSON file for each volume and the key
    frames. Frames that only move the camera repeat no volume there.

    Parameters
    ----------
    movie : Movie
        The movie.
    synthesizer : Synthesizer
        Renders its volumes.
    target : Path
        Appears only when it is complete.
    overwrite : bool
        Whether an existing file may be replaced; a folder never is.
    progress : Progress, optional
        Reports every frame.

    Raises
    ------
    Cancelled
        The user cancelled; nothing is left.
    CowganError
        The target exists, its suffix is unknown, the encoder is missing, a state does not fit the
        model, or the disk cannot be written.
    """
    write = _writer(target)
    if target.exists() and (target.is_dir() or not overwrite):
        raise CowganError(f"{target} exists already; choose another name.")
    write(movie, synthesizer, absolute(target), progress or Silent())


def volumes_of(
    movie: Movie, synthesizer: Synthesizer, progress: Progress | None = None
) -> Iterator[tuple[int, Volume]]:
    """Yield the volumes of a movie and the frames from which on they are shown.

    The provenance of each names its frame.

    Raises
    ------
    Cancelled, CowganError
        As for `export_movie`.
    """
    progress = progress or Silent()
    shown = enumerate(rendered_frames(movie, synthesizer))
    for _, same in groupby(shown, key=lambda entry: entry[1][1]):
        index, (_, volume) = next(same)
        advance(progress, index, movie.n_frames)
        place = {"frame": index, "after_keyframe": movie.keyframe_at(index)}
        yield index, replace(volume, provenance={**volume.provenance, "movie": place})
    advance(progress, movie.n_frames, movie.n_frames)


def volume_stack(
    movie: Movie, synthesizer: Synthesizer, progress: Progress | None = None
) -> list[tuple[int, Volume]]:
    """Return what `volumes_of` yields, in memory.

    Raises
    ------
    Cancelled, CowganError
        As for `export_movie`, or the movie is too long for that.
    """
    if movie.n_frames * _volume_bytes(synthesizer) > _LARGEST_STACK_BYTES:
        raise CowganError(
            f"{movie.n_frames} volumes need more than {_LARGEST_STACK_BYTES / 1e9:.0f} GB of "
            "memory; make the movie shorter, or write its volumes to a folder."
        )
    return list(volumes_of(movie, synthesizer, progress))


_Write = Callable[[Movie, Synthesizer, Path, Progress], None]


def _writer(target: Path) -> _Write:
    suffix = target.suffix.lower()
    if suffix == ".mp4":
        if find_spec("imageio_ffmpeg") is None:
            raise CowganError(
                "MP4 needs an encoder: pip install 'napari-cowgan[movie]', or write a GIF."
            )
        return _write_mp4
    if suffix == ".gif":
        return _write_gif
    if not suffix:
        return _write_series
    raise CowganError(
        f"{target.name} must end in .mp4 or .gif, or be a folder's name without a suffix."
    )


def _write_mp4(movie: Movie, synthesizer: Synthesizer, target: Path, progress: Progress) -> None:
    import imageio_ffmpeg

    colours = colour_table(movie)
    with atomic_path(target) as temporary:
        encoder = imageio_ffmpeg.write_frames(
            str(temporary),
            movie.size_px,
            fps=movie.frames_per_second,
            codec="libx264",
            quality=None,
            macro_block_size=2,
            ffmpeg_log_level="error",
            output_params=[
                *("-crf", _CONSTANT_RATE_FACTOR),
                *("-movflags", "+faststart"),
                *("-metadata", f"comment={_comment(movie)}"),
            ],
        )
        try:
            encoder.send(None)
            for drawn in _reported_pictures(movie, synthesizer, progress):
                encoder.send(np.ascontiguousarray(colours[drawn]))
        finally:
            encoder.close()


def _write_gif(movie: Movie, synthesizer: Synthesizer, target: Path, progress: Progress) -> None:
    palette = colour_table(movie).tobytes()

    def image(drawn: NDArray[np.uint8]) -> Image.Image:
        coloured = Image.fromarray(drawn)
        coloured.putpalette(palette)
        return coloured

    images = map(image, _reported_pictures(movie, synthesizer, progress))
    first = next(images)
    with atomic_path(target) as temporary:
        first.save(
            temporary,
            save_all=True,
            append_images=chain(images),
            duration=max(_SHORTEST_GIF_FRAME_MS, 10 * round(100 / movie.frames_per_second)),
            loop=0,
            optimize=False,
            comment=_comment(movie).encode(),
        )


def _write_series(movie: Movie, synthesizer: Synthesizer, target: Path, progress: Progress) -> None:
    needed_bytes = movie.n_frames * _volume_bytes(synthesizer)
    with folder_in_the_making(target, needed_bytes) as folder:
        for index, volume in volumes_of(movie, synthesizer, progress):
            write_nifti(volume, folder / f"frame_{index:06d}.nii.gz")
        write_movie(movie, folder / KEYFRAMES_NAME)


def _reported_pictures(
    movie: Movie, synthesizer: Synthesizer, progress: Progress
) -> Iterator[NDArray[np.uint8]]:
    advance(progress, 0, movie.n_frames)
    for done, drawn in enumerate(pictures(movie, synthesizer), start=1):
        yield drawn
        advance(progress, done, movie.n_frames)


def _comment(movie: Movie) -> str:
    model = f", model {movie.model_name}" if movie.model_name else ""
    return f"Synthetic TOF MRA by napari-cowgan {__version__}{model}"


def _volume_bytes(synthesizer: Synthesizer) -> int:
    return int(np.prod(synthesizer.checkpoint.config.volume_shape)) * _BYTES_PER_VOXEL
