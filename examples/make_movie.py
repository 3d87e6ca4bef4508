"""Walk between two seeds while the camera turns, and save the movie as a GIF.

Usage: python make_movie.py [MOVIE.gif or MOVIE.mp4]
"""

import sys
import tempfile
from pathlib import Path

from cowgan.checkpoint import load_bundled
from cowgan.latent.movie_export import export_movie
from cowgan.latent.movies import Keyframe, Movie
from cowgan.synthesis import LatentState, Synthesizer
from cowgan.volume.orthographic import Camera

target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp()) / "walk.gif"
below, front = Camera.of_plane("axial"), Camera.of_plane("coronal")
movie = Movie(
    (
        Keyframe(LatentState(seed=0, psi=0.8), below, frames=3),
        Keyframe(LatentState(seed=1, psi=0.8), below, frames=3),
        Keyframe(LatentState(seed=1, psi=0.8), front, frames=1),
    ),
    frames_per_second=4,
    width=256,
    height=256,
)
export_movie(movie, Synthesizer(load_bundled()), target, overwrite=True)
print(target)
