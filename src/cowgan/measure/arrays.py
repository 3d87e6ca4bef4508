"""Arrays of measurement, of whole volumes, of blocks or of single voxels."""

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]
