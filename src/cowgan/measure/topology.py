"""Betti numbers of a voxel mask: components, loops and cavities."""

# scikit-image is only partly typed.
# mypy: allow-untyped-calls

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects, generate_binary_structure, label

_SLAB_VOXELS = 4_000_000


@dataclass(frozen=True)
class Topology:
    """The Betti numbers of a mask with 26-connectivity.

    Parameters
    ----------
    components : int
        Connected components.
    loops : int
        Independent loops, such as a complete Circle of Willis.
    cavities : int
        Enclosed cavities; the background has 6-connectivity.
    """

    components: int
    loops: int
    cavities: int


def topology(mask: NDArray[np.bool_]) -> Topology:
    """Count the components, loops and cavities of a mask.

    Loops follow from the Euler characteristic, components - loops + cavities. Vessels cut by
    the edge of the volume count as closed there.
    """
    if not mask.any():
        return Topology(0, 0, 0)
    # An empty layer all around connects the background outside.
    (box,) = find_objects(mask.view(np.uint8))
    padded = np.pad(mask[box], 1)
    components = label(padded, generate_binary_structure(3, 3))[1]
    cavities = label(~padded)[1] - 1
    return Topology(components, components + cavities - _euler_number(padded), cavities)


def _euler_number(mask: NDArray[np.bool_]) -> int:
    """Return the Euler characteristic, summed over slabs that share a slice."""
    from skimage.measure import euler_number

    depth = max(1, _SLAB_VOXELS // mask[0].size)
    total = 0
    for start in range(0, len(mask) - 1, depth):
        total += int(euler_number(np.pad(mask[start : start + depth + 1], 1), 3))
        if start:
            total -= int(euler_number(np.pad(mask[start][None], 1), 3))
    return total
