"""Images with the label maps of their arteries, in files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cowgan.anatomy.label_schemes import LabelScheme
from cowgan.data.label_maps import require_labels, require_one_grid
from cowgan.data.scans import find_label_maps
from cowgan.data.subjects import subject_of
from cowgan.errors import CowganError
from cowgan.volume import Volume, open_image

_IMAGE_SUFFIX = "_0000"
_LABEL_SUFFIXES = ("_label", "_labels", "_dseg", "_seg")


@dataclass(frozen=True, eq=False)
class OpenedPair:
    """An image and its label map on one grid.

    Parameters
    ----------
    name : str
        Case name.
    volume : Volume
        The image.
    labels : ndarray, shape (z, x, y), uint8
        The label map; not empty.
    """

    name: str
    volume: Volume
    labels: NDArray[np.uint8]


@dataclass(frozen=True)
class ImagePair:
    """The files of an image and its label map.

    Parameters
    ----------
    name : str
        Case name of the image.
    image, labels : Path
        The files.
    """

    name: str
    image: Path
    labels: Path

    @property
    def subject(self) -> str:
        """The person, by the case name."""
        return subject_of(self.name)

    def open(self, scheme: LabelScheme) -> OpenedPair:
        """Read both files.

        Raises
        ------
        CowganError
            A file cannot be read, the two do not lie on one grid, a label is not one of the
            scheme, or the label map is empty.
        """
        image, truth = open_image(self.image), open_image(self.labels)
        require_labels(truth, scheme)
        require_one_grid(self.name, ("image", image), ("label map", truth))
        labels = truth.labels()
        if not labels.any():
            raise CowganError(f"The label map {self.labels.name} is empty.")
        return OpenedPair(self.name, image.volume(), labels)


def find_image_pairs(images: Path, labels: Path) -> list[ImagePair]:
    """Pair images with label maps of the same names.

    Parameters
    ----------
    images, labels : Path
        Folders, searched to any depth, which may be one. ``_0000`` at the end of an image's name,
        and ``_label``, ``_labels``, ``_dseg`` or ``_seg`` at that of a label map's, do not count.

    Returns
    -------
    list of ImagePair
        Sorted by case name; label maps without an image are left out.

    Raises
    ------
    CowganError
        A folder does not exist or has no image, or an image has no label map.
    """
    found, truths = find_label_maps([images]), find_label_maps([labels])
    if images.resolve() == labels.resolve():
        found = {name: path for name, path in found.items() if not _is_named_as_labels(name)}
        truths = {name: path for name, path in truths.items() if _is_named_as_labels(name)}
        if not found:
            raise CowganError(f"{images} holds label maps only.")
    maps = _maps_of(found, truths, labels)
    return [ImagePair(name, path, maps[name]) for name, path in found.items()]


def find_maps_of(images: Iterable[str], folder: Path) -> dict[str, Path]:
    """Return the label map of each image, by their case names; see `find_image_pairs`.

    Raises
    ------
    CowganError
        The folder does not exist or has no image, or an image has no label map.
    """
    return _maps_of(images, find_label_maps([folder]), folder)


def _maps_of(images: Iterable[str], maps: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    maps = {_without_suffix(name): path for name, path in maps.items()}
    found = {name: maps.get(_without_suffix(name)) for name in images}
    alone = [name for name, path in found.items() if path is None]
    if alone:
        more = f", nor for {len(alone) - 1} others" if alone[1:] else ""
        raise CowganError(
            f"{folder} has no label map for {alone[0]}{more}; give each label map the name of its "
            "image."
        )
    return {name: path for name, path in found.items() if path is not None}


def _is_named_as_labels(name: str) -> bool:
    return name.endswith(_LABEL_SUFFIXES)


def _without_suffix(name: str) -> str:
    """Return a case name without what tells an image from its label map."""
    for suffix in (_IMAGE_SUFFIX, *_LABEL_SUFFIXES):
        name = name.removesuffix(suffix)
    return name
