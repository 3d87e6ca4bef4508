"""The connected pieces of a vessel mask by size."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects, generate_binary_structure, label

SPECK_MM3 = 20.0

_NEIGHBOURS = generate_binary_structure(3, 3)


@dataclass(frozen=True)
class Pieces:
    """How a mask falls apart; zero for an empty mask.

    Parameters
    ----------
    largest_percent : float
        Share of the vessel voxels that the largest piece has.
    specks : int
        Pieces below 20 mm3.
    """

    largest_percent: float = 0.0
    specks: int = 0


def pieces(mask: NDArray[np.bool_], spacing_mm: tuple[float, float, float]) -> Pieces:
    """Describe the 26-connected pieces of a mask."""
    if not mask.any():
        return Pieces()
    (box,) = find_objects(mask.view(np.uint8))
    sizes = np.bincount(label(mask[box], _NEIGHBOURS)[0].ravel())[1:]
    return Pieces(
        largest_percent=100 * float(sizes.max() / sizes.sum()),
        specks=int((sizes * float(np.prod(spacing_mm)) < SPECK_MM3).sum()),
    )
