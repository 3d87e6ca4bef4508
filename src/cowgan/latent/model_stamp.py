"""The mark in a file that tells to which model it belongs."""

from dataclasses import dataclass

from cowgan.checkpoint import Checkpoint


@dataclass(frozen=True)
class ModelStamp:
    """Name and hash of a model.

    Attributes
    ----------
    name : str
        From its card.
    sha256 : str or None
        Of its file; None if it has none.
    """

    name: str
    sha256: str | None

    @classmethod
    def of(cls, checkpoint: Checkpoint) -> "ModelStamp":
        """Return the stamp of a model."""
        return cls(checkpoint.card.name, checkpoint.sha256)

    def fits(self, checkpoint: Checkpoint) -> bool:
        """Whether it is that of a model; False if either has no file."""
        return checkpoint.sha256 is not None and self.sha256 == checkpoint.sha256
