"""Opening files: NIfTI volumes become layers, checkpoints and sessions open the explorer."""

from collections.abc import Callable, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import Any

ReaderFunction = Callable[[str], list[tuple[Any, ...]]]

OPENED_WITHOUT_LAYER: list[tuple[Any, ...]] = [(None,)]
"""What napari takes as "read, but there is no layer to add"."""


def get_reader(path: str | PathLike[str] | Sequence[str]) -> ReaderFunction | None:
    """Return the function that opens `path`, ``None`` if it is not ours.

    A list of paths (opening several files as one stack) is refused: volumes of different
    patients do not form one image.
    """
    if not isinstance(path, str | PathLike):
        return None
    name = Path(fspath(path)).name.lower()
    if name.endswith((".nii", ".nii.gz")):
        return read_volume
    if name.endswith((".safetensors", ".pt")):
        return read_checkpoint
    if name.endswith(".cowgan.json"):
        return read_session
    return None


def read_volume(path: str) -> list[tuple[Any, ...]]:
    """Return the layer of one NIfTI file, named after the file."""
    from cowgan.volume import read_nifti
    from cowgan.volume.sidecar import nifti_stem
    from napari_cowgan.display import volume_to_layer

    return [volume_to_layer(read_nifti(Path(path)), nifti_stem(Path(path)))]


def read_checkpoint(path: str) -> list[tuple[Any, ...]]:
    """Open the latent explorer on a checkpoint; adds no layer by itself."""
    from napari_cowgan.explorer import open_checkpoint_in_current_viewer

    open_checkpoint_in_current_viewer(path)
    return OPENED_WITHOUT_LAYER


def read_session(path: str) -> list[tuple[Any, ...]]:
    """Open the latent explorer on a saved session; adds no layer by itself."""
    from napari_cowgan.explorer import open_session_in_current_viewer

    open_session_in_current_viewer(path)
    return OPENED_WITHOUT_LAYER
