"""The content of an image file, independent of its format."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cowgan.volume.placement import Units

MOST_VOXELS = 2**29
"""Largest number of voxels that is read, such as 1024 x 1024 x 512."""


@dataclass(frozen=True, eq=False)
class Stored:
    """An image as read by the reader of its format.

    Parameters
    ----------
    array : ndarray, 3D
        Voxels in the order and type of the file.
    affine_mm : ndarray, shape (4, 4)
        Maps the index of `array` to RAS+ millimetres.
    data_type : str
        Name of the stored type in that format.
    orientation_from : str
        Header field that states the orientation; ``"assumed"`` if there is none.
    sha256 : str
        Of the file, or combined over the files of a series.
    slope, intercept : float
        Linear map from stored values to intensities.
    units : {"mm", "m", "um"}
        Unit from which lengths were converted.
    remarks : tuple of str
        Sentences on what is ambiguous.
    details : dict
        Further entries for the provenance.
    marked_labels : bool
        Whether the header marks a label map.
    synthetic : bool
        Whether the header marks a generated image.
    padding : float, optional
        Intensity of voxels outside the field of view, if the header states it.
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
