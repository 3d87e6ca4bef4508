"""Pieces, loops and cavities of a voxel mask."""

# scikit-image is only partly typed.
# mypy: allow-untyped-calls

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects, generate_binary_structure, label


@dataclass(frozen=True)
class Topology:
    """The Betti numbers of a mask whose voxels are joined by 26 neighbours.

    Parameters
    ----------
    components : int
        Connected pieces.
    loops : int
        Independent closed ways, such as the one around a complete Circle of Willis.
    cavities : int
        Closed hollows; the voxels outside the mask are joined by 6 neighbours.
    """

    components: int
    loops: int
    cavities: int


def topology(mask: NDArray[np.bool_]) -> Topology:
    """Count the pieces, loops and cavities of a mask.

    Loops follow from the Euler characteristic, which is components - loops + cavities. What
    the edge of the volume cuts counts as closed there.
    """
    from skimage.measure import euler_number

    if not mask.any():
        return Topology(0, 0, 0)
    # One empty layer all around joins everything outside to one piece.
    (box,) = find_objects(mask.astype(np.uint8))
    padded = np.pad(mask[box], 1)
    components = label(padded, generate_binary_structure(3, 3))[1]
    cavities = label(~padded)[1] - 1
    return Topology(components, components + cavities - int(euler_number(padded, 3)), cavities)
