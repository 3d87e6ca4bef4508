"""Pictures of label maps, one colour for each artery."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cowgan.anatomy.label_colours import label_colours
from cowgan.anatomy.label_schemes import LabelScheme
from cowgan.pictures import png_bytes
from cowgan.report.blocks import Picture

_PIXELS = 288


def label_picture(
    labels: NDArray[np.integer[Any]],
    scheme: LabelScheme,
    spacing_mm: tuple[float, float, float],
    alt: str,
) -> Picture:
    """Return an axial view of a label map: anterior up, the patient's right on the left.

    Of labels above one another the lowest is shown, as seen from the feet.

    Parameters
    ----------
    labels : ndarray of int, shape (z, x, y)
        Values of the scheme.
    scheme : LabelScheme
        Meaning of the labels.
    spacing_mm : tuple of float
        Voxel size along (z, x, y).
    alt : str
        What the picture shows.
    """
    lowest = (labels > 0).argmax(axis=0)[None]
    seen = np.take_along_axis(labels, lowest, axis=0)[0].T[::-1]
    table = np.zeros((256, 3), np.uint8)
    for value, colour in label_colours(scheme).items():
        table[value] = list(bytes.fromhex(colour[1:]))
    extent = np.array(seen.shape) * (spacing_mm[2], spacing_mm[1])
    rows, columns = np.maximum(1, np.round(extent * _PIXELS / extent.max())).astype(int)
    of_row, of_column = (
        np.arange(n) * length // n for n, length in zip((rows, columns), seen.shape, strict=True)
    )
    canvas = np.zeros((_PIXELS, _PIXELS, 3), np.uint8)
    top, left = (_PIXELS - rows) // 2, (_PIXELS - columns) // 2
    canvas[top : top + rows, left : left + columns] = table[seen[np.ix_(of_row, of_column)]]
    return Picture(png_bytes(canvas), alt, large=True)
