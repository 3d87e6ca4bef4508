"""A named direction of the latent space."""

import base64
import hashlib
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import PlainValidator
from torch import Tensor

from cowgan.checkpoint import to_p, to_w
from cowgan.documents import checked
from cowgan.errors import CowganError

Space = Literal["p", "w"]


def _vector(stored: Any) -> NDArray[np.float32]:
    if not isinstance(stored, str):
        raise ValueError("should be text in base64")
    return np.frombuffer(base64.b64decode(stored, validate=True), "<f4")


_Vector = Annotated[NDArray[np.float32], PlainValidator(_vector)]


@dataclass(frozen=True)
class Direction:
    """A direction of the latent space, scaled so that one unit is one sigma.

    Attributes
    ----------
    name : str
        Name to display.
    method : str
        Method of the search, such as ``"PCA"`` or ``"SeFa"``.
    space : {"p", "w"}
        Space in which it is a straight line: w, or p (w before the last leaky ReLU).
    vector : ndarray of float32
        Shape (latent_dim,), read-only; compared by `digest`.
    first_block, last_block : int
        Blocks it acts on by default, 0-based and inclusive.
    effect : float
        Mean absolute change of the volume per sigma, 0 if it was not measured.
    """

    name: str
    method: str
    space: Space
    vector: _Vector = field(compare=False, repr=False)
    first_block: int
    last_block: int
    effect: float = field(default=0.0, compare=False)
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        vector = np.array(self.vector, dtype="<f4")
        if vector.ndim != 1 or not vector.size or not np.isfinite(vector).all():
            raise CowganError(f"The direction {self.name!r:.80} does not hold a vector of numbers.")
        possible = 0 <= self.first_block <= self.last_block and np.isfinite(self.effect)
        if self.space not in ("p", "w") or not possible:
            raise CowganError(
                f"The direction {self.name!r:.80} has an impossible space, block range or effect."
            )
        vector.setflags(write=False)
        object.__setattr__(self, "vector", vector)
        object.__setattr__(self, "digest", hashlib.sha256(vector.tobytes()).hexdigest()[:16])

    def apply(self, w: Tensor, sigmas: float) -> Tensor:
        """Move w codes (..., latent_dim) along the direction by `sigmas`."""
        step = sigmas * torch.from_numpy(np.array(self.vector))
        return w + step if self.space == "w" else to_w(to_p(w) + step)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serialisable dictionary; the vector is base64 of little-endian float32."""
        return {
            "name": self.name,
            "method": self.method,
            "space": self.space,
            "first_block": self.first_block,
            "last_block": self.last_block,
            "effect": self.effect,
            "vector": base64.b64encode(self.vector.tobytes()).decode("ascii"),
        }

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "Direction":
        """Rebuild a direction from `to_dict`'s result.

        Raises
        ------
        CowganError
            It is damaged.
        """
        return checked(content, cls, "A stored latent direction")
