"""Background tasks of the segmentation panel; touches no widget."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cowgan.anatomy.label_schemes import LabelScheme, scheme_named
from cowgan.data.case_names import case_name
from cowgan.progress import Progress
from cowgan.segmentation.bundled_segmenters import BUNDLED_SEGMENTERS
from cowgan.volume import (
    Volume,
    affine_with_axes,
    stored_axes,
    write_labels,
)
from cowgan.volume.formats import image_stem
from napari_cowgan.viewer.display import layer_to_labels, layer_to_volume

if TYPE_CHECKING:
    from cowgan.segmentation.artery_sizes import ArterySize
    from cowgan.segmentation.segmenter import Segmenter
    from cowgan.segmentation.training_set import TrainingSet

LayerState = tuple[NDArray[Any], dict[str, Any]]
"""Voxels and state of a layer, the first items of ``layer.as_layer_data_tuple()``."""


@dataclass(frozen=True, eq=False)
class Segmented:
    """A volume and the labels that a network gave it.

    Parameters
    ----------
    volume : Volume
        What was segmented.
    labels : ndarray, shape (z, x, y), uint8
        Label map on its grid.
    scheme : LabelScheme
        Meaning of the labels.
    provenance : dict
        Of the label map.
    remarks : tuple of str
        What is ambiguous about the volume, and doubtful about the result.
    """

    volume: Volume
    labels: NDArray[np.uint8]
    scheme: LabelScheme
    provenance: dict[str, Any]
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Described:
    """What is measured of a label map.

    Parameters
    ----------
    scheme : LabelScheme
        Meaning of its labels.
    sizes : dict of int to ArterySize
        By label, for those that are there.
    circle : str
        The variant of the circle in words; may be empty.
    """

    scheme: LabelScheme
    sizes: "dict[int, ArterySize]"
    circle: str


@dataclass
class NetworkShelf:
    """Keeps the network that was used last, ready for the next volume."""

    _used: "dict[tuple[Path, int, int], Segmenter]" = field(default_factory=dict)

    def segmenter(self, path: Path) -> "Segmenter":
        """Return the network of a file or of a run's folder.

        Raises
        ------
        CowganError
            As for `cowgan.segmentation.segmenter_files.load_segmenter`.
        """
        from cowgan.segmentation.segmenter import Segmenter
        from cowgan.segmentation.segmenter_files import load_segmenter, segmenter_path

        file = segmenter_path(path)
        try:
            status = file.stat()
            key = (file.absolute(), status.st_mtime_ns, status.st_size)
        except OSError:
            # Says what is wrong.
            return Segmenter([load_segmenter(file)])
        if key not in self._used:
            self._used = {key: Segmenter([load_segmenter(file)])}
        return self._used[key]


def segment(
    read: Callable[[], Volume],
    network: Path,
    shelf: NetworkShelf,
    whole_scan: bool,
    progress: Progress,
) -> Segmented:
    """Segment a volume.

    Parameters
    ----------
    read : callable
        Returns the volume.
    network : Path
        File, or folder of a run.
    shelf : NetworkShelf
        Opens the network.
    whole_scan : bool
        Segment all of a large scan, rather than the surroundings of the Circle of Willis.
    progress : Progress
        Updated after every window of the volume.

    Raises
    ------
    CowganError
        The volume or the network cannot be read, or nearly all voxels have the same intensity.
    Cancelled
        The user cancelled.
    """
    from cowgan.segmentation.around_circle import segment_around_circle
    from cowgan.segmentation.prediction import segmentation_provenance

    volume = read()
    segmenter = shelf.segmenter(network)
    found = (
        segmenter(volume, progress)
        if whole_scan
        else segment_around_circle(
            lambda part: segmenter(part, progress), volume, segmenter.extent_mm
        )
    )
    return Segmented(
        volume,
        found.labels,
        found.scheme,
        segmentation_provenance(volume, found, segmenter),
        (*volume.remarks, *found.remarks),
    )


def describe(state: LayerState, progress: Progress) -> Described | None:
    """Measure every artery of a labels layer; None if its labels are of no known scheme.

    Raises
    ------
    CowganError
        As for `napari_cowgan.viewer.display.layer_to_labels`.
    Cancelled
        The user cancelled.
    """
    from cowgan.segmentation.artery_sizes import artery_sizes
    from cowgan.segmentation.circle_in_words import circle_in_words
    from cowgan.volume.volume import spacing_of

    labels, affine, provenance = layer_to_labels(*state)
    scheme = scheme_named(provenance["labels"])
    if scheme is None:
        return None
    sizes = artery_sizes(labels, scheme, spacing_of(affine), progress)
    unknown = scheme.unknown_in(labels)
    known = np.where(np.isin(labels, unknown), 0, labels) if unknown else labels
    return Described(scheme, sizes, circle_in_words(known, scheme))


def save(state: LayerState, path: Path) -> Path:
    """Write the label map of a labels layer with the axes of the scan's file; return the path.

    Raises
    ------
    CowganError
        As for `napari_cowgan.viewer.display.layer_to_labels` and `cowgan.volume.write_labels`.
    """
    labels, affine, provenance = layer_to_labels(*state)
    nz, nx, ny = labels.shape
    axes = affine_with_axes(affine, (nz, nx, ny), stored_axes(provenance))
    write_labels(labels, affine, path, provenance, stored_affine=axes)
    return path


def add_to_set(
    state: LayerState, read: Callable[[], Volume], folder: Path, name: str, *, replace: bool
) -> "TrainingSet":
    """Write a scan and the label map of a labels layer to a training set.

    Parameters
    ----------
    state : LayerState
        Of the labels layer.
    read : callable
        Returns the scan.
    folder, name, replace
        As for `cowgan.segmentation.training_set.add_case`.

    Raises
    ------
    CowganError
        As for `cowgan.segmentation.training_set.add_case`.
    """
    from cowgan.errors import CowganError
    from cowgan.segmentation.training_set import add_case

    labels, affine, provenance = layer_to_labels(*state)
    scheme = scheme_named(provenance["labels"])
    if scheme is None:
        raise CowganError("The label scheme of this label map is unknown.")
    return add_case(folder, name, read(), labels, scheme, affine, provenance, replace=replace)


def look_into_set(folder: Path) -> "TrainingSet":
    """Return what the folder of a training set holds.

    Raises
    ------
    CowganError
        As for `cowgan.segmentation.training_set.open_training_set`.
    """
    from cowgan.segmentation.training_set import open_training_set

    return open_training_set(folder)


def bundled_networks() -> Mapping[str, Path]:
    """Return the networks in this copy of the program, by label scheme."""
    return {name: path for name, path in BUNDLED_SEGMENTERS.items() if path.is_file()}


def volume_of(state: LayerState) -> Volume:
    """Return the volume that an image layer shows."""
    return layer_to_volume(*state)


def suggested_name(provenance: dict[str, Any], otherwise: str) -> str:
    """Return a case name for a scan: that of its file, or its seed, or some other name."""
    sources = provenance.get("sources") or []
    # Not the label map itself, if it was opened from a file.
    files = [source.get("file") for source in sources if source.get("content") == "image"]
    drawn = provenance.get("state")
    seed = drawn.get("seed") if isinstance(drawn, dict) else None
    if files and isinstance(files[-1], str):
        return case_name(image_stem(Path(files[-1])))
    return f"seed_{seed:06d}" if isinstance(seed, int) else case_name(otherwise).strip("_")
