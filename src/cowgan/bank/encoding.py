"""Encoding of intensities in a bank."""

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cowgan.errors import CowganError

VoxelType = Literal["uint8", "uint16", "float16"]

DEFAULT_VOXEL_TYPE: VoxelType = "uint8"
"""The rounding error of 8 bits has a standard deviation of 1 / (255 sqrt(12)) = 0.0011, a ninth of
the noise in a scaled TOF volume (about 0.01): it adds 1 % to the noise variance, is dithered by
the noise, and takes half the disk and memory of 16 bits (``tests/benchmarks/test_bank.py``)."""

_HALF_TO_SINGLE = np.float32(2.0**112)
_TOLERANCE = 1e-6


def stored_dtype(voxel_type: str) -> np.dtype[Any]:
    """Return the NumPy type, little-endian on every machine.

    Raises
    ------
    CowganError
        The type is not supported by banks.
    """
    if voxel_type not in get_args(VoxelType):
        raise CowganError(
            f"A bank stores {', '.join(get_args(VoxelType))}, but not {voxel_type!r}."
        )
    return np.dtype(voxel_type).newbyteorder("<")


def encode(data: NDArray[np.float32], voxel_type: VoxelType) -> NDArray[Any]:
    """Return encoded intensities, rounded to the nearest step.

    Parameters
    ----------
    data : ndarray, float32
        Intensities from 0 to 1; rounding errors beyond are clipped.
    voxel_type : {"uint8", "uint16", "float16"}
        Integers store the intensity times 255 or 65535.

    Raises
    ------
    CowganError
        An intensity lies outside 0 to 1.
    """
    dtype = stored_dtype(voxel_type)
    low, high = float(data.min()), float(data.max())
    if low < -_TOLERANCE or high > 1 + _TOLERANCE:
        raise CowganError(
            f"The intensities run from {low:.4g} to {high:.4g}, but a bank holds 0 to 1; "
            "choose a scaling."
        )
    clipped = np.clip(data, 0, 1)
    if dtype.kind == "f":
        return clipped.astype(dtype)
    return np.rint(clipped * np.float32(np.iinfo(dtype).max)).astype(dtype)


def decode(stored: NDArray[Any], out: NDArray[np.float32]) -> None:
    """Write stored intensities to `out` as float32 from 0 to 1.

    Parameters
    ----------
    stored : ndarray
        From `encode`.
    out : ndarray, float32
        C-contiguous, of the same shape.
    """
    if stored.dtype.kind == "f":
        # NumPy converts half precision one value at a time. Exponent and mantissa moved into
        # place give the value times 2^-112, subnormals and zero included, seven times faster.
        bits = out.view(np.uint32)
        bits[...] = stored.view("<u2")
        bits <<= 13
        out *= _HALF_TO_SINGLE
    else:
        out[...] = stored
        # Division, since multiplying by the reciprocal may not give exactly 1.
        out /= np.float32(np.iinfo(stored.dtype).max)
