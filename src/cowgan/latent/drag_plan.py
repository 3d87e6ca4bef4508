"""What the user planned for a drag: the pulls, and the voxels that should stay."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cowgan.documents import checked
from cowgan.errors import CowganError
from cowgan.latent.dragging import Pull

MOST_PULLS = 1000


@dataclass(frozen=True)
class VoxelRuns:
    """A set of voxels, kept as the lengths of runs.

    Attributes
    ----------
    shape : tuple of int
        Shape (z, x, y) of the volume.
    runs : tuple of int
        Lengths of runs in the order of memory, in turn outside of the set and in it.

    Raises
    ------
    CowganError
        The runs do not fill the shape.
    """

    shape: tuple[int, int, int]
    runs: tuple[int, ...]

    def __post_init__(self) -> None:
        z, x, y = self.shape
        if min(self.shape) < 1 or min(self.runs, default=0) < 0 or sum(self.runs) != z * x * y:
            raise CowganError("What should stay is not described for every voxel of a volume.")

    @classmethod
    def of(cls, mask: NDArray[np.bool_]) -> "VoxelRuns":
        """Return the voxels of a mask, shape (z, x, y)."""
        z, x, y = mask.shape
        changes = np.flatnonzero(np.diff(mask.ravel(), prepend=False))
        return cls((z, x, y), tuple(np.diff(changes, prepend=0, append=mask.size).tolist()))

    @property
    def count(self) -> int:
        """Number of voxels in the set."""
        return sum(self.runs[1::2])

    def mask(self) -> NDArray[np.bool_]:
        """Return the mask, of `shape`."""
        inside = np.arange(len(self.runs)) % 2 == 1
        return np.repeat(inside, self.runs).reshape(self.shape)


@dataclass(frozen=True)
class DragPlan:
    """What a drag shall do.

    Attributes
    ----------
    pulls : tuple of Pull
        At most `MOST_PULLS`.
    fixed : VoxelRuns or None
        Voxels that should stay; None if none were chosen.

    Raises
    ------
    CowganError
        A pull is at no place, or there are too many.
    """

    pulls: tuple[Pull, ...] = ()
    fixed: VoxelRuns | None = None

    def __post_init__(self) -> None:
        places = [place for pull in self.pulls for place in (*pull.handle, *pull.target)]
        if len(self.pulls) > MOST_PULLS or not np.isfinite(places).all():
            raise CowganError(f"A drag needs at most {MOST_PULLS} pulls, each at a place.")

    def fits(self, shape: tuple[int, int, int]) -> bool:
        """Return whether it was made for volumes of a shape (z, x, y)."""
        last = np.array(shape) - 1
        places = np.array([(pull.handle, pull.target) for pull in self.pulls]).reshape(-1, 3)
        inside = bool(((places >= 0) & (places <= last)).all())
        return inside and (self.fixed is None or self.fixed.shape == shape)

    def to_dict(self) -> dict[str, Any]:
        """Return a JSON-serialisable dictionary."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "DragPlan":
        """Rebuild a plan from `to_dict`'s result.

        Raises
        ------
        CowganError
            The dictionary is damaged.
        """
        return checked(content, cls, "A stored drag")
