"""Volume, length and radius of every artery of a label map."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from cowgan.anatomy.label_schemes import LabelScheme
from cowgan.measure import measure_mask
from cowgan.progress import Progress, Silent, advance


@dataclass(frozen=True)
class ArterySize:
    """The size of one artery.

    Parameters
    ----------
    volume_mm3 : float
        Volume of its voxels.
    length_mm : float
        Length of its centrelines.
    median_radius_mm : float
        Median radius along them.
    pieces : int
        Number of its connected components.
    """

    volume_mm3: float
    length_mm: float
    median_radius_mm: float
    pieces: int


def artery_sizes(
    labels: NDArray[np.integer[Any]],
    scheme: LabelScheme,
    spacing_mm: tuple[float, float, float],
    progress: Progress | None = None,
) -> dict[int, ArterySize]:
    """Measure each artery of a label map on its own, as `cowgan.measure.measure_mask` does.

    Parameters
    ----------
    labels : ndarray of int, shape (z, x, y)
        Label map; values that the scheme does not have are left out.
    scheme : LabelScheme
        Meaning of the labels.
    spacing_mm : tuple of float
        Voxel size along (z, x, y).
    progress : Progress, optional
        Updated after every artery.

    Returns
    -------
    dict of int to ArterySize
        By label, for those that are there.

    Raises
    ------
    Cancelled
        The user cancelled.
    """
    progress, boxes = progress or Silent(), dict(enumerate(find_objects(labels), start=1))
    values = [value for value in scheme.labels if boxes.get(value)]
    sizes = {}
    for done, value in enumerate(values):
        advance(progress, done, len(values))
        # With a margin, since a side of the array does not count as a wall.
        box = tuple(slice(max(axis.start - 1, 0), axis.stop + 1) for axis in boxes[value])
        found = measure_mask(labels[box] == value, spacing_mm)
        sizes[value] = ArterySize(
            found.volume_mm3, found.length_mm, found.radius.median_mm, found.components
        )
    return sizes
