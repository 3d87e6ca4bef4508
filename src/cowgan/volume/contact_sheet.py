"""Contact sheets: pictures of one size in rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def contact_sheet(pictures: Sequence[NDArray[Any]], columns: int, margin: int = 0) -> NDArray[Any]:
    """Return pictures side by side in rows of `columns`, from top left to bottom right.

    Parameters
    ----------
    pictures : sequence of ndarray
        At least one, all of one shape (row, column) or (row, column, channel) and type.
    columns : int
        Pictures in a row; fewer if there are fewer.
    margin : int
        Pixels of 0 around each picture.
    """
    first = np.asarray(pictures[0])
    height, width = (n + 2 * margin for n in first.shape[:2])
    columns = min(columns, len(pictures))
    rows = -(-len(pictures) // columns)
    sheet = np.zeros((rows * height, columns * width, *first.shape[2:]), first.dtype)
    for index, picture in enumerate(pictures):
        top = index // columns * height + margin
        left = index % columns * width + margin
        sheet[top : top + first.shape[0], left : left + first.shape[1]] = picture
    return sheet
