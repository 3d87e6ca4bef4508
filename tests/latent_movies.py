"""Short movies of a small model, and the pictures in movie files."""

from dataclasses import replace
from pathlib import Path

import checkpoint_files as files
import numpy as np
from numpy.typing import NDArray

from cowgan.latent.movies import Contrast, Keyframe, Movie
from cowgan.synthesis import BlockMix, Direction, Edit, LatentState
from cowgan.volume.orthographic import Camera

CONFIG = files.TINY


def projected(seed: int = 7) -> LatentState:
    """Return a state of explicit styles, as a projection of a scan gives."""
    rows = np.random.default_rng(seed).standard_normal((CONFIG.n_blocks, CONFIG.latent_dim))
    return LatentState(w=tuple(map(tuple, rows.tolist())), noise=False)


def edited() -> LatentState:
    """Return a state that uses every field."""
    direction = Direction("wider", "PCA", "p", np.ones(CONFIG.latent_dim), 0, 1)
    return LatentState(
        3,
        psi=0.7,
        cutoff=2,
        mixing=(BlockMix(1, 9, 0.5),),
        noise_seed=4,
        noise_strength=(0.5, 1.0),
        edits=(Edit(direction, 1.5, 0, 1),),
    )


def short_movie() -> Movie:
    """Return a movie of six frames through all kinds of states."""
    return Movie(
        (
            Keyframe(LatentState(0), frames=2, easing="linear"),
            Keyframe(edited(), Camera.of_plane("coronal"), Contrast(0.0, 1.0, 0.8), 2),
            Keyframe(projected(), replace(Camera(), zoom=1.5), frames=2, turns=1),
        ),
        width=64,
        height=96,
        loop=True,
        colours=("#000000", "#ff4000", "#ffffff"),
    )


def mp4_pictures(path: Path) -> list[NDArray[np.uint8]]:
    """Return the decoded pictures of an MP4 file, shape (height, width, 3) each."""
    import imageio_ffmpeg

    frames = imageio_ffmpeg.read_frames(str(path))
    width, height = next(frames)["size"]
    return [np.frombuffer(frame, np.uint8).reshape(height, width, 3) for frame in frames]


def likeness_db(picture: NDArray[np.uint8], expected: NDArray[np.uint8]) -> float:
    """Return the peak signal-to-noise ratio of a picture."""
    squared = np.square(picture.astype(float) - expected).mean()
    return float(10 * np.log10(255**2 / squared))
