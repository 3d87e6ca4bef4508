"""What turns a volume into features."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cowgan.canonical_json import sha256_of_content
from cowgan.volume import Volume

_Setting = str | int | float | bool | tuple[int, ...]


@dataclass(frozen=True)
class Recipe:
    """All that determines which features a volume has.

    Features of different recipes cannot be compared.

    Parameters
    ----------
    name : str
        For people, such as "MedicalNet ResNet-10"; printed with every number.
    version : int
        Increased when the code computes other features than before.
    settings : mapping of str to a number or text
        Preprocessing and layers.
    weights_sha256 : str, optional
        Hash of the network's weights.
    """

    name: str
    version: int
    settings: Mapping[str, _Setting] = field(default_factory=dict)
    weights_sha256: str | None = None

    @property
    def sha256(self) -> str:
        """Hash of the recipe."""
        return sha256_of_content(asdict(self))


class Extractor(Protocol):
    """Turns volumes into features; picklable, so that several processes can do so."""

    @property
    def recipe(self) -> Recipe:
        """What the features are."""

    @property
    def dimensions(self) -> int:
        """Number of features in a row."""

    def __call__(self, volume: Volume) -> NDArray[np.float32]:
        """Return features of shape (rows, dimensions): one row, or as many as there are slices.

        Raises
        ------
        CowganError
            The volume has none, such as one of a single grey level.
        """
