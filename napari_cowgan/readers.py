"""Opening files: NIfTI images become layers, checkpoints and sessions open the explorer."""

from collections.abc import Callable, Sequence
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cowgan.volume import Volume

ReaderFunction = Callable[[str], list[tuple[Any, ...]]]

_INTENT_LABEL = 1002

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
    """Return the layer of one NIfTI file, named after the file.

    A label map becomes a labels layer. A file is one if its voxels are stored as integers
    and either all of them are values of the TopCoW scheme (0 to 12 and 15) and not all 0,
    or they are 0 to 255 and the file is marked as a label map: by NIfTI's intent code, or
    by this program in the file beside it. Everything else is an image.
    """
    from cowgan.volume import read_nifti
    from cowgan.volume.sidecar import nifti_stem
    from napari_cowgan.display import labels_to_layer, volume_to_layer
    from napari_cowgan.window import caption_synthetic, expect_arteries

    caption_synthetic()
    name = nifti_stem(Path(path))
    volume = read_nifti(Path(path))
    labels = _labels_in(volume, Path(path))
    if labels is None:
        return [volume_to_layer(volume, name)]
    layer = labels_to_layer(labels, volume.affine, name, volume.provenance)
    if "features" in layer[1]:
        expect_arteries()
    return [layer]


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


def _labels_in(volume: "Volume", path: Path) -> "NDArray[np.uint8] | None":
    """Return the voxels as labels, or None if the file is no label map; see `read_volume`."""
    import numpy as np

    from napari_cowgan.arteries import are_scheme_values, label_values

    stored = np.dtype(volume.provenance["sources"][-1]["data_type"])
    if stored.kind not in "iu" or volume.data.min() < 0 or volume.data.max() > 255:
        return None
    labels = volume.data.astype(np.uint8)
    # Integers that the header scales may have become fractions.
    if not np.array_equal(labels, volume.data):
        return None
    own = are_scheme_values(label_values(labels)) or "labels" in volume.provenance
    return labels if own or _has_label_intent(path) else None


def _has_label_intent(path: Path) -> bool:
    from nibabel import load

    header: Any = load(path).header
    return int(header["intent_code"]) == _INTENT_LABEL
