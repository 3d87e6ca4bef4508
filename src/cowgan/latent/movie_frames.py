"""The volumes and pictures of a movie's frames.

Scripts and windows draw by this module, so that a movie does not depend on where it was made.
"""

from collections.abc import Iterator
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from cowgan.latent.movies import Contrast, Movie, MovieFrame
from cowgan.synthesis import Synthesizer
from cowgan.volume import Volume
from cowgan.volume.orthographic import Camera, mip_from

MARK = "Synthetic. Not for diagnosis."

_TEXT_HEIGHT = 1 / 28
"""Of the height of the picture."""


def rendered_frames(movie: Movie, synthesizer: Synthesizer) -> Iterator[tuple[MovieFrame, Volume]]:
    """Yield every frame with its volume, which is rendered once while only the view changes.

    Raises
    ------
    CowganError
        A state does not fit the model.
    """
    checkpoint = synthesizer.checkpoint

    def frames() -> Iterator[MovieFrame]:
        return (movie.frame(index, checkpoint) for index in range(movie.n_frames))

    states = (state for state, _ in groupby(frame.state for frame in frames()))
    volumes = synthesizer.render_many(states)
    for _, same in groupby(frames(), key=lambda frame: frame.state):
        volume = next(volumes)
        yield from ((frame, volume) for frame in same)


def pictures(movie: Movie, synthesizer: Synthesizer) -> Iterator[NDArray[np.uint8]]:
    """Yield the picture of every frame; see `picture`."""
    before: tuple[Volume, Camera, Contrast] | None = None
    drawn = np.empty(0, np.uint8)
    for frame, volume in rendered_frames(movie, synthesizer):
        shown = (volume, frame.camera, frame.contrast)
        if shown != before:
            drawn = picture(movie, frame, volume)
            before = shown
        yield drawn


def picture(movie: Movie, frame: MovieFrame, volume: Volume) -> NDArray[np.uint8]:
    """Return the picture of a frame.

    Parameters
    ----------
    movie : Movie
        Size and caption.
    frame : MovieFrame
        View and contrast.
    volume : Volume
        The volume of the frame.

    Returns
    -------
    ndarray, shape (height, width), uint8
        Rows of the `colour_table`.
    """
    contrast = frame.contrast
    projected = mip_from(volume, frame.camera, (movie.height, movie.width))
    share = np.clip((projected - contrast.low) / (contrast.high - contrast.low), 0, 1)
    drawn = np.round(255 * share**contrast.gamma).astype(np.uint8)
    return _marked(drawn) if movie.mark_synthetic else drawn


def colour_table(movie: Movie) -> NDArray[np.uint8]:
    """Return the colours of a movie, shape (256, 3)."""
    return _table(np.array([list(bytes.fromhex(colour[1:])) for colour in movie.colours]))


def colours_of(table: NDArray[np.uint8]) -> tuple[str, ...]:
    """Return the fewest colours whose `colour_table` is a given one, shape (256, 3)."""
    for count in range(2, 256):
        places = np.linspace(0, 255, count).round().astype(int)
        if np.abs(_table(table[places]).astype(int) - table).max() <= 1:
            return _hexadecimal(table[places])
    return _hexadecimal(table)


def _table(colours: NDArray[np.uint8]) -> NDArray[np.uint8]:
    places = np.linspace(0, len(colours) - 1, 256)
    channels = [np.interp(places, np.arange(len(colours)), channel) for channel in colours.T]
    return np.round(np.stack(channels, axis=1)).astype(np.uint8)


def _hexadecimal(colours: NDArray[np.uint8]) -> tuple[str, ...]:
    return tuple(f"#{bytes(colour).hex()}" for colour in colours)


def _marked(drawn: NDArray[np.uint8]) -> NDArray[np.uint8]:
    image = Image.fromarray(drawn)
    size = max(10, round(image.height * _TEXT_HEIGHT))
    ImageDraw.Draw(image).text(
        (size // 2, image.height - size // 2),
        MARK,
        fill=255,
        font=ImageFont.load_default(size),
        anchor="lb",
    )
    return np.asarray(image)
