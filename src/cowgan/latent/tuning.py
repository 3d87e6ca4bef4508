"""Pivotal tuning: weights of a model that were changed for one scan, kept beside the model."""

import copy
from dataclasses import dataclass, replace
from pathlib import Path

from torch import Tensor

from cowgan.checkpoint import Checkpoint
from cowgan.checkpoint.model_files import ModelFiles
from cowgan.errors import CowganError
from cowgan.networks import SynthesisNetwork


@dataclass(frozen=True)
class _Header:
    generator_sha256: str
    scan: str


_FILES = ModelFiles("cowgan-tuning", "tuning", _Header)


@dataclass(frozen=True, eq=False)
class Tuning:
    """Differences of the weights of a tuned synthesis network from those of its model.

    Attributes
    ----------
    changes : dict of str to Tensor
        To be added to each weight, in half precision.
    generator_sha256 : str
        Hash of the model's file.
    scan : str
        What it was tuned to.
    """

    changes: dict[str, Tensor]
    generator_sha256: str
    scan: str = ""

    @classmethod
    def between(cls, checkpoint: Checkpoint, tuned: SynthesisNetwork) -> "Tuning":
        """Return what a tuned network differs in from that of a model."""
        before = checkpoint.synthesis.state_dict()
        changes = {
            name: (weight.cpu() - before[name]).half()
            for name, weight in tuned.state_dict().items()
        }
        return cls(changes, checkpoint.sha256 or "")

    def named(self, scan: str) -> "Tuning":
        """Return the same tuning with the name of its scan."""
        return replace(self, scan=scan)

    def tuned(self, checkpoint: Checkpoint) -> Checkpoint:
        """Return a model with these changes, which leaves the given one as it is.

        It keeps the hash, latent space and directions of the model; `Checkpoint.tuned_to` tells
        the two apart.

        Raises
        ------
        CowganError
            The tuning belongs to another model.
        """
        network = copy.deepcopy(checkpoint.synthesis)
        weights = network.state_dict()
        fits = {name: weight.shape for name, weight in weights.items()} == {
            name: change.shape for name, change in self.changes.items()
        }
        if self.generator_sha256 != (checkpoint.sha256 or "") or not fits:
            raise CowganError(
                f"This tuning belongs to another model than {checkpoint.card.name}.",
                f"{self.generator_sha256} instead of {checkpoint.sha256}",
            )
        network.load_state_dict(
            {name: weight + self.changes[name].float() for name, weight in weights.items()}
        )
        return replace(checkpoint, synthesis=network, tuned_to=self.scan or "a scan")


def save_tuning(tuning: Tuning, path: Path) -> None:
    """Write a tuning; the same one always gives the same bytes.

    Raises
    ------
    CowganError
        The name does not end in ``.safetensors``, or the file cannot be written.
    """
    _FILES.write(path, tuning.changes, _Header(tuning.generator_sha256, tuning.scan))


def load_tuning(path: Path) -> Tuning:
    """Read a tuning.

    Raises
    ------
    CowganError
        The file is missing, damaged, of another kind or of a newer version.
    """
    tensors, header, _ = _FILES.read(path)
    if not all(one.is_floating_point() and one.isfinite().all() for one in tensors.values()):
        raise CowganError(f"{Path(path).name} is damaged: its weights are not numbers.")
    return Tuning(tensors, header.generator_sha256, header.scan)
