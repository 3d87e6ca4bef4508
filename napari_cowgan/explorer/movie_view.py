"""The view of napari as a movie draws it, and back."""

from typing import TYPE_CHECKING

import numpy as np
from napari.utils.colormaps import Colormap
from numpy.typing import NDArray

from cowgan.latent.movie_frames import colour_table, colours_of
from cowgan.latent.movies import Contrast, Movie, MovieFrame
from cowgan.volume.orthographic import Camera
from napari_cowgan.viewer.camera import camera_of, look_as

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Image

_LEAST_RANGE = 1e-3


def shown_camera(viewer: "ViewerModel", layer: "Image | None") -> Camera:
    """Return the camera of the 3D view; in slices, the view from below."""
    if layer is None or viewer.dims.ndisplay != 3:
        return Camera()
    return camera_of(viewer.scene.camera, viewer, layer)


def shown_contrast(layer: "Image | None") -> Contrast:
    """Return the contrast of a layer."""
    if layer is None:
        return Contrast()
    low, high = (float(limit) for limit in layer.contrast_limits)
    return Contrast(low, max(high, low + _LEAST_RANGE), float(layer.gamma))


def shown_colours(layer: "Image | None") -> tuple[str, ...]:
    """Return the colours of a layer."""
    if layer is None:
        return Movie.colours
    return colours_of(_table(layer.colormap))


def show_colours(layer: "Image", movie: Movie) -> None:
    """Give a layer the colours of a movie."""
    wanted = colour_table(movie)
    if not np.array_equal(_table(layer.colormap), wanted):
        layer.colormap = Colormap(wanted / 255, name="movie")


def show_view(viewer: "ViewerModel", layer: "Image | None", frame: MovieFrame) -> None:
    """Show a volume's layer with the camera, if in 3D, and the contrast of a frame."""
    if layer is None:
        return
    contrast = frame.contrast
    layer.contrast_limits = (contrast.low, contrast.high)
    layer.gamma = contrast.gamma
    if viewer.dims.ndisplay == 3:
        look_as(viewer, layer, frame.camera)


def _table(colormap: Colormap) -> NDArray[np.uint8]:
    colours = np.asarray(colormap.map(np.linspace(0, 1, 256)))[:, :3]
    return np.round(255 * colours).astype(np.uint8)
