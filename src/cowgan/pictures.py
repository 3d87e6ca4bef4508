"""Bounded reading of PNG pictures from untrusted folders."""

import struct
import warnings
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cowgan.errors import CowganError
from cowgan.files import open_regular

MOST_PIXELS = 2**25
LARGEST_PICTURE = 2**26
"""Largest file size in bytes."""

_UNREADABLE = (
    OSError,
    EOFError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    Image.DecompressionBombError,
)


def read_picture(path: Path) -> Image.Image:
    """Return a PNG file as a greyscale picture.

    Raises
    ------
    CowganError
        The file is missing, damaged, not a PNG file, or has more than `MOST_PIXELS`.
    """
    try:
        with (
            open_regular(path) as file,
            warnings.catch_warnings(action="ignore"),
            Image.open(file, formats=["PNG"]) as picture,
        ):
            if picture.width * picture.height > MOST_PIXELS:
                raise ValueError(f"{picture.width} x {picture.height} pixels")
            return picture.convert("L")
    except _UNREADABLE as error:
        raise CowganError(f"{path} is not a picture that can be shown.", repr(error)) from error


def png_bytes(pixels: NDArray[np.uint8]) -> bytes:
    """Return pixels, grey (rows, columns) or coloured (rows, columns, 3), as a small PNG file."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, "PNG", optimize=True)
    return file.getvalue()
