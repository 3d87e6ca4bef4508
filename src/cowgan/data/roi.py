"""The region of interest around the Circle of Willis."""

# scikit-image is only partly typed.
# mypy: allow-untyped-calls

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes, distance_transform_edt, gaussian_filter

from cowgan.errors import CowganError
from cowgan.volume import DEFAULT_SPACING_MM, Volume
from cowgan.volume.averaging import shrink
from cowgan.volume.resampling import Grid

ROI_SHAPE = (32, 128, 128)
"""Voxels of the region of interest along (z, x, y)."""
PAPER_START = (40, 80, 120)
"""First voxel (z, x, y) of the region in the template of Aydin et al. 2024: x 80:208,
y 120:248, z 40:72."""

_SAME_SPACING = 0.01
_SEARCH_MM = 1.6
_HEAD_MM = 120.0
_ARTERY_MM = 0.8
_TISSUE_MM = 5.0
_SCALP_MM = 25.0
"""Depth up to which bright voxels are ignored as scalp or orbit; twice as deep they count fully."""
_BRIGHT_PERCENTILES = (97, 99.8)
_REGION_MM = (8.0, 16.0, 14.0)
_TO_CIRCLE_MM = (9.0, 0.0, -5.2)
"""From the carotid siphons, where arteries are densest, to the centre of the circle, along
(z, x, y). Measured on eight simulated heads with the arteries of IXI; the remaining error is about
5 mm along y and z, and 10 mm along x."""


def region_around(
    centre_mm: NDArray[np.float64],
    affine: NDArray[np.float64],
    shape: tuple[int, int, int] = ROI_SHAPE,
    spacing_mm: tuple[float, float, float] = DEFAULT_SPACING_MM,
) -> Grid:
    """Return a grid around a point, by default the one of 32 x 128 x 128 voxels (z, x, y).

    Parameters
    ----------
    centre_mm : ndarray, shape (3,)
        Middle of the region in RAS millimetres.
    affine : ndarray, shape (4, 4)
        Affine of the image whose axes the grid follows.
    shape : tuple of int
        Voxels along (z, x, y).
    spacing_mm : tuple of float
        Voxel size along (z, x, y).
    """
    sz, sx, sy = spacing_mm
    axes = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0) * [sx, sy, sz]
    nz, nx, ny = shape
    grid = np.eye(4)
    grid[:3, :3] = axes
    grid[:3, 3] = centre_mm - axes @ ((np.array([nx, ny, nz]) - 1) / 2)
    return Grid(shape, grid)


def is_region(volume: Volume) -> bool:
    """Return whether a volume has the shape and spacing of a region of interest."""
    return volume.shape == ROI_SHAPE and np.allclose(
        volume.spacing_mm, DEFAULT_SPACING_MM, rtol=_SAME_SPACING
    )


def paper_centre_mm(template: Volume) -> NDArray[np.float64]:
    """Return the middle of the paper's region in its template.

    Raises
    ------
    CowganError
        The template does not have the paper's voxels, or ends before the region does.
    """
    if not np.allclose(template.spacing_mm, DEFAULT_SPACING_MM, rtol=_SAME_SPACING):
        raise CowganError(
            "The paper's region of interest is counted in voxels of its own template; choose "
            "another region for this one.",
            f"voxels of {template.spacing_mm} mm (z, x, y)",
        )
    stop = np.add(PAPER_START, ROI_SHAPE)
    if (stop > template.shape).any():
        raise CowganError(
            "The paper's region of interest does not lie inside this template.",
            f"shape {template.shape}, region up to {stop.tolist()} (z, x, y)",
        )
    z, x, y = np.array(PAPER_START) + (np.array(ROI_SHAPE) - 1) / 2
    centre = template.affine @ [x, y, z, 1.0]
    return np.asarray(centre[:3])


def find_centre_mm(volume: Volume) -> NDArray[np.float64]:
    """Find the Circle of Willis of a whole head without a template.

    Bright tubular voxels deep inside the head are densest at the carotid siphons; the circle lies
    at a known offset behind and above them.

    Parameters
    ----------
    volume : Volume
        A TOF MRA or a template.

    Returns
    -------
    ndarray, shape (3,)
        Middle of the circle in RAS millimetres, to about 5 mm.

    Raises
    ------
    CowganError
        There are no bright arteries.
    """
    small = shrink(volume, _SEARCH_MM)
    density = gaussian_filter(
        _arteries(small), np.array(_REGION_MM) / small.spacing_mm, mode="constant"
    )
    if not density.max() > 0:
        raise CowganError("No arteries were found, so the region of interest is unknown.")
    place = np.array(np.unravel_index(int(density.argmax()), density.shape))
    z, x, y = place + np.array(_TO_CIRCLE_MM) / small.spacing_mm
    centre = small.affine @ [x, y, z, 1.0]
    return np.asarray(centre[:3])


def _arteries(volume: Volume) -> NDArray[np.float32]:
    """Return how much each voxel looks like an artery away from the scalp, 0 to 1."""
    spacing = np.array(volume.spacing_mm)
    data = volume.data
    tubes = gaussian_filter(data, _ARTERY_MM / spacing) - gaussian_filter(
        data, _TISSUE_MM / spacing
    )
    deep = np.clip(_depth_mm(volume) / _SCALP_MM - 1, 0, 1)
    weighted = np.maximum(tubes, 0) * deep
    if not deep.any():
        return np.zeros_like(weighted)
    low, high = np.percentile(weighted[deep > 0], _BRIGHT_PERCENTILES)
    return np.clip((weighted - low) / max(high - low, 1e-12), 0, 1)


def _depth_mm(volume: Volume) -> NDArray[np.float32]:
    """Return the distance to the surface of the head within axial slices, 0 outside.

    It is infinite everywhere if the field of view is narrower than a head.
    """
    from skimage.filters import threshold_otsu

    _, wide_mm, long_mm = np.array(volume.shape) * volume.spacing_mm
    if min(wide_mm, long_mm) < _HEAD_MM:
        return np.full(volume.shape, np.inf, np.float32)
    smooth = gaussian_filter(volume.data, 3.0 / np.array(volume.spacing_mm))
    if smooth.min() == smooth.max():
        return np.zeros_like(smooth)
    # Lower than the threshold between tissue and air, because of coil shading.
    head = smooth > 0.7 * threshold_otsu(smooth)
    depth = [
        distance_transform_edt(np.pad(binary_fill_holes(part), 1), sampling=volume.spacing_mm[1:])
        for part in head
    ]
    return np.stack(depth)[:, 1:-1, 1:-1].astype(np.float32)
