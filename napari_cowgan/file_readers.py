"""File readers: images become layers; checkpoints, sessions and key frames open the explorer."""

from collections.abc import Callable, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cowgan.volume import Units

ReaderFunction = Callable[[str], list[tuple[Any, ...]]]

OPENED_WITHOUT_LAYER: list[tuple[Any, ...]] = [(None,)]
"""napari's convention for a file that was read but adds no layer."""


def get_reader(path: str | PathLike[str] | Sequence[str]) -> ReaderFunction | None:
    """Return the function that opens `path`; ``None`` if the plugin does not read it.

    A list of paths (several files as one stack) is refused, because volumes of different
    patients do not form one image. A folder is read if it contains DICOM files.
    """
    if not isinstance(path, str | PathLike):
        return None
    from cowgan.volume.formats import READABLE_SUFFIXES

    name = Path(fspath(path)).name.lower()
    if name.endswith(READABLE_SUFFIXES):
        return read_image
    if name.endswith((".safetensors", ".pt")):
        return read_checkpoint
    if name.endswith(".cowgan.json"):
        return read_session
    if name.endswith(".movie.json"):
        return read_keyframes
    if Path(fspath(path)).is_dir():
        from cowgan.volume.dicom import is_dicom

        return read_image if is_dicom(Path(fspath(path))) else None
    return None


def read_image(path: str, units: "Units | None" = None) -> list[tuple[Any, ...]]:
    """Return the layer of an image of any format, named after the file.

    Masks and label maps, according to `cowgan.volume.OpenedImage.content`, become labels layers.
    Ambiguities of the image are shown to the user and kept in the layer's metadata. If an image
    cannot be opened and there is a window, a dialog explains why (napari would only offer other
    plugins); if its size is impossible in the stated units, the dialog offers likely ones.
    """
    from cowgan.errors import CowganError
    from napari_cowgan.viewer.current_viewer import annotate_canvas, show_reading_problem

    annotate_canvas()
    try:
        return _image_layers(Path(path), units)
    except CowganError as error:
        if show_reading_problem(error, lambda units: read_image(path, units)):
            return OPENED_WITHOUT_LAYER
        raise


def _image_layers(path: Path, units: "Units | None") -> list[tuple[Any, ...]]:
    from cowgan.volume import open_image
    from cowgan.volume.formats import image_stem
    from napari_cowgan.viewer.artery_colours import FEATURE
    from napari_cowgan.viewer.current_viewer import expect_arteries, show_remarks
    from napari_cowgan.viewer.display import labels_to_layer, volume_to_layer

    image = open_image(path, units=units)
    name = image_stem(path)
    if image.content == "image":
        volume = image.volume()
        show_remarks(name, volume.remarks)
        return [volume_to_layer(volume, name)]
    layer = labels_to_layer(image.labels(), image.affine, name, image.provenance)
    show_remarks(name, image.remarks)
    if FEATURE in layer[1].get("features", {}):
        expect_arteries()
    return [layer]


def read_checkpoint(path: str) -> list[tuple[Any, ...]]:
    """Open a checkpoint in the latent explorer; returns no layer."""
    from napari_cowgan.explorer import open_checkpoint_in_current_viewer

    open_checkpoint_in_current_viewer(path)
    return OPENED_WITHOUT_LAYER


def read_session(path: str) -> list[tuple[Any, ...]]:
    """Open a saved session in the latent explorer; returns no layer."""
    from napari_cowgan.explorer import open_session_in_current_viewer

    open_session_in_current_viewer(path)
    return OPENED_WITHOUT_LAYER


def read_keyframes(path: str) -> list[tuple[Any, ...]]:
    """Open key frames of a movie in the latent explorer; returns no layer."""
    from napari_cowgan.explorer import open_movie_in_current_viewer

    open_movie_in_current_viewer(path)
    return OPENED_WITHOUT_LAYER
