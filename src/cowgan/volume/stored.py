"""An image as it stands in a file, whatever the format."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cowgan.volume.placement import Units

MOST_VOXELS = 2**29
"""Of an image that is read, such as 1024 x 1024 x 512."""


@dataclass(frozen=True, eq=False)
class Stored:
    """What the reader of a format found.

    Parameters
    ----------
    array : ndarray, 3D
        Voxels in the order and type of the file.
    affine_mm : ndarray, shape (4, 4)
        Maps the index of `array` to RAS+ millimetres.
    data_type : str
        As the format calls it.
    orientation_from : str
        Where the file states its orientation; ``"assumed"`` if it does not.
    sha256 : str
        Of the file, or of the files of a series one after the other.
    slope, intercept : float
        What turns stored numbers into intensities.
    units : {"mm", "m", "um"}
        What lengths were converted from.
    remarks : tuple of str
        Sentences on what is ambiguous.
    details : dict
        More for the provenance.
    marked_labels : bool
        Whether the file says that it is a label map.
    synthetic : bool
        Whether the file says that a network generated it.
    padding : float, optional
        The intensity that the file states for voxels outside the field of view.
    """

    array: NDArray[Any]
    affine_mm: NDArray[np.float64]
    data_type: str
    orientation_from: str
    sha256: str
    slope: float = 1.0
    intercept: float = 0.0
    units: Units = "mm"
    remarks: tuple[str, ...] = ()
    details: dict[str, Any] = field(default_factory=dict)
    marked_labels: bool = False
    synthetic: bool = False
    padding: float | None = None

    def scaled(self, part: NDArray[Any]) -> NDArray[np.float32]:
        """Return the intensities of a part of the array, as float32."""
        if (self.slope, self.intercept) == (1.0, 0.0):
            with np.errstate(over="ignore", invalid="ignore"):
                return part.astype(np.float32)
        with np.errstate(all="ignore"):
            return (part * np.float64(self.slope) + self.intercept).astype(np.float32)
