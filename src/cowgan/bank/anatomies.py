"""Artery occupancy maps of real anatomies, on the paper's grid around the Circle of Willis.

They are read from label maps, or from an ``.npz`` archive of many anatomies.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from cowgan.anatomy.circle_centre import circle_centre_mm
from cowgan.anatomy.label_schemes import SEVEN_ARTERIES, TERRITORIES, TOPCOW_2024
from cowgan.archives import open_archive, read_npy_header, unpacking
from cowgan.data.roi import ROI_SHAPE, region_around
from cowgan.data.scans import find_label_maps
from cowgan.errors import CowganError
from cowgan.files import sha256_of
from cowgan.pool import map_in_order
from cowgan.progress import Progress, Silent, advance
from cowgan.skeleton import skeletonize_mask
from cowgan.volume import (
    DEFAULT_SPACING_MM,
    Volume,
    read_labels,
    reorient_to_las,
)
from cowgan.volume.formats import image_stem
from cowgan.volume.label_resampling import resample_labels
from cowgan.volume.resampling import Grid, resample

_FULL = np.float32(255)
_EDGE_SMOOTHING = 0.45
_SAME_MM = 2e-3
_MOST_ARCHIVED = 2000
_LONGEST_NAME_BYTES = 1024


@dataclass(frozen=True, eq=False)
class VesselMap:
    """Artery occupancy of one anatomy on the paper's grid.

    Parameters
    ----------
    name : str
        Name of the anatomy, from which the subject is derived.
    stored : ndarray, shape (32, 128, 128), uint8
        Share of each voxel that is artery, in steps of 1 / 255; axes as in `Volume.data`.
    provenance : dict
        Source file, its SHA-256 and processing.
    labels : ndarray, shape (32, 128, 128), uint8, optional
        Label map on the same voxels.
    label_scheme : str, optional
        Its scheme, by its name in `cowgan.anatomy.label_schemes.LABEL_SCHEMES`.
    """

    name: str
    stored: NDArray[np.uint8]
    provenance: dict[str, Any] = field(default_factory=dict)
    labels: NDArray[np.uint8] | None = None
    label_scheme: str | None = None

    @property
    def occupancy(self) -> NDArray[np.float32]:
        """Share of each voxel that is artery, 0 to 1."""
        return np.divide(self.stored, _FULL, dtype=np.float32)

    @cached_property
    def off_centre_mm(self) -> float:
        """Largest distance, along any axis, of the circle's centre from the volume's middle.

        An estimate in steps of 2 mm; infinite without arteries.
        """
        mask = self.stored > 127
        if not mask.any():
            return float("inf")
        middle = (np.array(ROI_SHAPE) - 1) / 2 * DEFAULT_SPACING_MM
        return float(np.abs(_circle_mm(mask, DEFAULT_SPACING_MM) - middle).max())


def read_anatomies(
    inputs: Sequence[Path], jobs: int = 1, progress: Progress | None = None
) -> list[VesselMap]:
    """Read anatomies from archives, label maps and folders of label maps, sorted by name.

    Parameters
    ----------
    inputs : sequence of path-like
        ``.npz`` archives (see `read_archive`), NIfTI label maps (see `read_label_map`) and
        folders that are searched for label maps.
    jobs : int
        Processes that prepare label maps.
    progress : Progress, optional
        Updated after every label map.

    Raises
    ------
    CowganError
        A file is missing, damaged or not such a map, or two anatomies have the same name.
    Cancelled
        The user cancelled.
    """
    progress = progress or Silent()
    archives = [path for path in map(Path, inputs) if path.suffix.lower() == ".npz"]
    others = [path for path in map(Path, inputs) if path not in archives]
    found = [anatomy for path in archives for anatomy in read_archive(path)]
    files = list(find_label_maps(others).items()) if others else []
    for done, anatomy in enumerate(map_in_order(_read_named, files, jobs), 1):
        found.append(anatomy)
        advance(progress, done, len(files), anatomy.name)
    found.sort(key=lambda anatomy: anatomy.name)
    for before, after in pairwise(found):
        if before.name == after.name:
            raise CowganError(f"Two anatomies are called {after.name}.")
    return found


def read_archive(path: Path) -> Iterator[VesselMap]:
    """Yield the anatomies of a NumPy archive.

    Parameters
    ----------
    path : Path
        An ``.npz`` file with ``names`` (n,) and ``occupancy`` (n, 128, 128, 32), uint8 from
        0 to 255, axes (x, y, z) in RAS order: the index rises to the patient's right, to
        anterior and to superior. Voxels of 0.62 mm count as the paper's 0.61875 x 0.61875 x
        0.62 mm, which makes arteries 0.2 % smaller and avoids an interpolation. It may also have
        ``label``, of the same shape and type, with the territory of every voxel
        (`cowgan.anatomy.label_schemes.TERRITORIES`); anatomies with other values have no labels.

    Raises
    ------
    CowganError
        The file is missing, damaged or holds something else.
    """
    path = Path(path)
    source = {"file": path.name, "sha256": sha256_of(path)}
    with open_archive(path) as archive, unpacking(path):
        if not {"names.npy", "occupancy.npy"} <= set(archive.namelist()):
            raise CowganError(f"{path} is not an archive with names and occupancy.")
        names, occupancy, labels = _archived(archive, path)
    sz, sx, sy = DEFAULT_SPACING_MM
    ras = np.diag([sx, sy, sz, 1.0])

    def turned(stored: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.ascontiguousarray(reorient_to_las(stored, ras)[0])

    for index, (name, stored) in enumerate(zip(names, occupancy, strict=True)):
        anatomy = VesselMap(
            image_stem(Path(str(name))), turned(stored), {**source, "name": str(name)}
        )
        if labels is not None and not TERRITORIES.unknown_in(labels[index]):
            anatomy = replace(anatomy, labels=turned(labels[index]), label_scheme="territories")
        yield anatomy


def _archived(
    archive: ZipFile, path: Path
) -> tuple[NDArray[np.str_], NDArray[np.uint8], NDArray[np.uint8] | None]:
    """Return names, occupancy and labels, whose headers are checked before unpacking."""
    nz, nx, ny = ROI_SHAPE
    headers = {name: _header(archive, name) for name in ("names", "occupancy")}
    (names_shape, names_type), (shape, data_type) = headers.values()
    if (
        names_type.kind != "U"
        or len(shape) != 4
        or names_shape != shape[:1]
        or shape[1:] != (nx, ny, nz)
        or data_type != np.uint8
    ):
        raise CowganError(
            f"{path.name} needs one name and {nx} x {ny} x {nz} numbers of 8 bits (x, y, z) for "
            "each anatomy.",
            f"names {names_shape} {names_type}, occupancy {shape} {data_type}",
        )
    if shape[0] > _MOST_ARCHIVED or names_type.itemsize > _LONGEST_NAME_BYTES:
        raise CowganError(
            f"{path.name} states {shape[0]:,} anatomies with names of {names_type.itemsize // 4:,} "
            f"letters; up to {_MOST_ARCHIVED:,} with {_LONGEST_NAME_BYTES // 4} are read."
        )
    labelled = "label.npy" in archive.namelist() and _header(archive, "label") == (shape, data_type)
    return (
        _array(archive, "names"),
        _array(archive, "occupancy"),
        _array(archive, "label") if labelled else None,
    )


def _header(archive: ZipFile, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
    with archive.open(f"{name}.npy") as file:
        shape, _, data_type = read_npy_header(file)
    return shape, data_type


def _array(archive: ZipFile, name: str) -> NDArray[Any]:
    with archive.open(f"{name}.npy") as file:
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    return array


def read_label_map(path: Path, name: str) -> VesselMap:
    """Read a NIfTI label map, whose non-zero voxels are artery, and crop the Circle of Willis.

    A map with the paper's size and voxel size is kept as it is. Any other is interpolated
    linearly, along its own axes, onto such a grid around the circle; see `circle_centre_mm`.
    Along axes on which the map is smaller than that grid, it is centred and padded. The anatomy has
    labels if those of the map can only be the arteries of `TOPCOW_2024`; a mask or a map in
    another scheme gives none.

    Parameters
    ----------
    path : Path
        Any orientation and voxel size.
    name : str
        Name of the anatomy.

    Raises
    ------
    CowganError
        See `cowgan.volume.read_labels`; or the map holds no artery.
    """
    labels, affine = read_labels(path)
    mask = labels > 0
    if not mask.any():
        raise CowganError(f"{path.name} contains no artery.")
    # Real arteries fill edge voxels partly, unlike a label map.
    occupancy = gaussian_filter(mask.astype(np.float32), _EDGE_SMOOTHING, truncate=3)
    volume = Volume(occupancy, affine)
    provenance: dict[str, Any] = {"file": path.name, "sha256": sha256_of(path)}
    topcow = _can_only_be_topcow(labels)
    on_grid = np.allclose(volume.spacing_mm, DEFAULT_SPACING_MM, rtol=0, atol=_SAME_MM)
    if mask.shape != ROI_SHAPE or not on_grid:
        grid = _grid_around_circle(volume, mask)
        occupancy = resample(volume, grid, order=1).data
        provenance["resampled_to"] = grid.affine.tolist()
        if topcow:
            labels = resample_labels(labels, affine, grid, occupancy)
    anatomy = VesselMap(name, np.rint(occupancy * _FULL).astype(np.uint8), provenance)
    return replace(anatomy, labels=labels, label_scheme="topcow2024") if topcow else anatomy


def _can_only_be_topcow(labels: NDArray[np.uint8]) -> bool:
    """Return whether labels are TopCoW's and would not all mean something in another scheme.

    The first values are those of masks, territories and the seven arteries, too.
    """
    values = np.unique(labels)
    return not TOPCOW_2024.unknown_in(values) and all(
        scheme.unknown_in(values) for scheme in (TERRITORIES, SEVEN_ARTERIES)
    )


def _read_named(named: tuple[str, Path]) -> VesselMap:
    name, path = named
    return read_label_map(path, name)


def _grid_around_circle(volume: Volume, mask: NDArray[np.bool_]) -> Grid:
    """Return the paper's grid, aligned with the axes of the volume."""
    spacing = np.array(volume.spacing_mm)
    size = np.array(volume.shape)
    too_small = size * spacing < np.array(ROI_SHAPE) * DEFAULT_SPACING_MM
    z, x, y = np.where(too_small, (size - 1) / 2, _circle_mm(mask, volume.spacing_mm) / spacing)
    return region_around((volume.affine @ [x, y, z, 1.0])[:3], volume.affine)


def _circle_mm(
    mask: NDArray[np.bool_], spacing_mm: tuple[float, float, float]
) -> NDArray[np.float64]:
    """Return the centre of the circle along (z, x, y), in mm from the first voxel."""
    return np.array(circle_centre_mm(skeletonize_mask(mask, spacing_mm), mask.shape))
