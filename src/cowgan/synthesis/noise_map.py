"""Noise that was found for a block, in place of the noise of a seed."""

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import PlainValidator

from cowgan.errors import CowganError


def _stored_values(stored: Any) -> NDArray[np.float16]:
    if not isinstance(stored, str):
        raise ValueError("should be text in base64")
    return np.frombuffer(base64.b64decode(stored, validate=True), "<f2")


_Values = Annotated[NDArray[np.float16], PlainValidator(_stored_values)]


@dataclass(frozen=True)
class NoiseMap:
    """The noise of one block.

    Attributes
    ----------
    shape : tuple of int
        Voxels (z, x, y); tells the block that it is for.
    values : ndarray of float16
        In [0, 1], read-only, kept flat; compared by `digest`.

    Raises
    ------
    CowganError
        Values lie outside of [0, 1], or do not fill the shape.
    """

    shape: tuple[int, int, int]
    values: _Values = field(compare=False, repr=False)
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype="<f2").ravel()
        possible = bool(np.all((values >= 0) & (values <= 1)))
        if min(self.shape) < 1 or values.size != np.prod(self.shape) or not possible:
            raise CowganError("A map of noise does not hold a number from 0 to 1 for every voxel.")
        values.setflags(write=False)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "digest", hashlib.sha256(values.tobytes()).hexdigest()[:16])

    def cube(self) -> NDArray[np.float32]:
        """Return the values in their shape."""
        return self.values.reshape(self.shape).astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serialisable dictionary; values are base64 of little-endian float16."""
        return {
            "shape": list(self.shape),
            "values": base64.b64encode(self.values.tobytes()).decode("ascii"),
        }
