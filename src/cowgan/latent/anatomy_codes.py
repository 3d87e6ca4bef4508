"""Where a model's encoder sees real anatomies in the latent space."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from cowgan.checkpoint import BUNDLED, Checkpoint
from cowgan.checkpoint.model_files import ModelFiles
from cowgan.errors import CowganError
from cowgan.latent.encoder_files import stored_encoder
from cowgan.latent.p_space import PSpace
from cowgan.volume import Volume

_SUFFIX = ".anatomies.safetensors"


@dataclass(frozen=True, eq=False)
class AnatomyCodes:
    """Guessed codes of the anatomies of people.

    Attributes
    ----------
    people : tuple of str
        Name of each.
    codes : Tensor of float16, shape (people, components)
        Whitened coordinates in P space (`cowgan.latent.p_space.PSpace.w` gives w), as a linear
        encoder guesses them: nearer to the mean than the true ones.
    generator_sha256 : str
        Hash of the generator's file.
    """

    people: tuple[str, ...]
    codes: Tensor
    generator_sha256: str


@dataclass(frozen=True)
class _Header:
    generator_sha256: str
    people: tuple[str, ...]


_FILES = ModelFiles("cowgan-anatomies", "file of encoded anatomies", _Header)


def anatomies_path(checkpoint: Path) -> Path:
    """Return where encoded anatomies lie: beside the model, as ``MODEL.anatomies.safetensors``."""
    return checkpoint.with_name(checkpoint.stem + _SUFFIX)


@torch.no_grad()
def encode_anatomies(checkpoint: Checkpoint, people: Iterable[tuple[str, Volume]]) -> AnatomyCodes:
    """Guess the code of a volume of each of several people.

    Parameters
    ----------
    checkpoint : Checkpoint
        A model with an encoder.
    people : iterable of (str, Volume)
        Names, and volumes on the model's grid.

    Raises
    ------
    CowganError
        The model has no encoder, or nobody is given.
    """
    stored = stored_encoder(checkpoint)
    if stored is None:
        raise CowganError(f"{checkpoint.card.name} has no encoder; run cowgan fit-encoder first.")
    names, codes = [], []
    for name, volume in people:
        codes.append(stored.encoder.guess(volume).half())
        names.append(name)
    if not names:
        raise CowganError("There are no people to encode.")
    return AnatomyCodes(tuple(names), torch.stack(codes), stored.generator_sha256)


def save_anatomies(anatomies: AnatomyCodes, path: Path) -> None:
    """Write encoded anatomies; the same ones always give the same bytes.

    Raises
    ------
    CowganError
        The name does not end in ``.safetensors``, or the file cannot be written.
    """
    header = _Header(anatomies.generator_sha256, anatomies.people)
    _FILES.write(path, {"codes": anatomies.codes}, header)


def stored_anatomies(checkpoint: Checkpoint) -> AnatomyCodes | None:
    """Return the encoded anatomies beside a model's file, or those of the bundled model.

    Returns
    -------
    AnatomyCodes or None
        None if there are none of this model.

    Raises
    ------
    CowganError
        A file is damaged, or that beside the model belongs to another one.
    """
    beside = [anatomies_path(checkpoint.path)] if checkpoint.path is not None else []
    for path in (*beside, anatomies_path(BUNDLED)):
        if not path.exists():
            continue
        tensors, header, _ = _FILES.read(path)
        if header.generator_sha256 != checkpoint.sha256:
            if path in beside:
                raise CowganError(f"{path.name} belongs to another model.")
            continue
        codes = tensors.get("codes")
        shape = (len(header.people), len(PSpace.of(checkpoint).sd))
        if codes is None or codes.shape != shape or not codes.isfinite().all():
            raise CowganError(f"{path.name} is damaged: its codes are not those of its people.")
        return AnatomyCodes(header.people, codes, header.generator_sha256)
    return None
