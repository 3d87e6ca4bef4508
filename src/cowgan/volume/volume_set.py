"""Sets of volumes that are read one by one."""

from collections.abc import Sequence
from typing import Protocol

from cowgan.volume.volume import Volume


class VolumeSet(Protocol):
    """Volumes read one by one; picklable, so that several processes can read."""

    @property
    def title(self) -> str:
        """What the set is, for people."""

    @property
    def names(self) -> Sequence[str]:
        """The name of each volume."""

    @property
    def subjects(self) -> Sequence[str]:
        """The subject of each volume."""

    def volume(self, index: int) -> Volume:
        """Return one volume, or raise `CowganError` if it cannot be read."""

    def content(self, index: int) -> str:
        """Return a hash of all that determines the voxels of a volume, without making it."""
