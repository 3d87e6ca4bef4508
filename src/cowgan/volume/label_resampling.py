"""Resampling of label maps that keeps the volume of every label.

Interpolation blurs arteries, and a threshold of one half would then make them thinner and interrupt
the thinnest.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from cowgan.volume.resampling import Grid

_XYZ = [1, 2, 0]


def resample_labels(
    labels: NDArray[np.uint8],
    affine: NDArray[np.float64],
    grid: Grid,
    filled: NDArray[np.float32],
) -> NDArray[np.uint8]:
    """Return a label map on another grid.

    Parameters
    ----------
    labels : ndarray, shape (z, x, y), uint8
        0 is background; some voxel has another label.
    affine : ndarray, shape (4, 4)
        As in `cowgan.volume.Volume.affine`.
    grid : Grid
        The output grid.
    filled : ndarray, shape (z, x, y), float32
        Share of each voxel of the grid that is labelled.
    """
    to_grid = np.linalg.solve(grid.affine, affine)
    places = np.argwhere(labels)[:, _XYZ] @ to_grid[:3, :3].T + to_grid[:3, 3]
    values = labels[labels > 0]
    size = np.array(grid.shape)[_XYZ]
    inside = ((places >= -0.5) & (places < size - 0.5)).all(axis=1)
    volumes = np.bincount(values[inside]) * abs(np.linalg.det(to_grid[:3, :3]))
    reached = filled > 0
    _, nearest = cKDTree(places).query(np.argwhere(reached)[:, _XYZ])
    resampled = np.zeros(grid.shape, np.uint8)
    resampled[reached] = most_filled(
        values[nearest], filled[reached], dict(enumerate(volumes.tolist()))
    )
    return resampled


def most_filled(
    nearest: NDArray[np.uint8], filled: NDArray[np.float32], volumes: Mapping[int, float]
) -> NDArray[np.uint8]:
    """Return the labels of voxels: each label takes the fullest of those that it is nearest to.

    Parameters
    ----------
    nearest : ndarray, shape (n,), uint8
        The label nearest to each voxel.
    filled : ndarray, shape (n,), float32
        Share of each voxel that is labelled.
    volumes : mapping of int to float
        Volume of each label, in voxels; none if absent.

    Returns
    -------
    ndarray, shape (n,), uint8
        0 in voxels that no label takes.
    """
    labels = np.zeros_like(nearest)
    for value in np.unique(nearest).tolist():
        own = np.flatnonzero(nearest == value)
        fullest = np.argsort(-filled[own], kind="stable")[: round(volumes.get(value, 0.0))]
        labels[own[fullest]] = value
    return labels
