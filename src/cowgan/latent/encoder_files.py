"""Files of encoders, which lie beside the model that they belong to."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cowgan.checkpoint import BUNDLED, Checkpoint
from cowgan.checkpoint.model_files import ModelFiles
from cowgan.errors import CowganError
from cowgan.latent.encoder import LatentEncoder

_SUFFIX = ".encoder.safetensors"
_LARGEST = 4096


@dataclass(frozen=True, eq=False)
class EncoderModel:
    """An encoder and the generator that it belongs to.

    Parameters
    ----------
    encoder : LatentEncoder
        In evaluation mode, on the CPU.
    generator_sha256 : str
        Hash of the generator's file.
    provenance : dict
        Number of samples, and errors; see `cowgan.latent.encoder_fitting.fit_encoder`.
    """

    encoder: LatentEncoder
    generator_sha256: str
    provenance: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Header:
    generator_sha256: str
    components: int
    provenance: dict[str, Any]

    def __post_init__(self) -> None:
        if not 1 <= self.components <= _LARGEST:
            raise CowganError("An encoder cannot be of this size.")


_FILES = ModelFiles("cowgan-encoder", "latent encoder", _Header)


def encoder_path(checkpoint: Path) -> Path:
    """Return where the encoder of a model lies: beside it, as ``MODEL.encoder.safetensors``."""
    return checkpoint.with_name(checkpoint.stem + _SUFFIX)


def save_encoder(model: EncoderModel, path: Path) -> None:
    """Write an encoder in half precision; the same encoder always gives the same bytes.

    Raises
    ------
    CowganError
        The name does not end in ``.safetensors``, or the file cannot be written.
    """
    encoder = model.encoder
    header = _Header(model.generator_sha256, encoder.components, model.provenance)
    tensors = {name: tensor.half() for name, tensor in encoder.state_dict().items()}
    _FILES.write(path, tensors, header)


def load_encoder(path: Path, checkpoint: Checkpoint) -> EncoderModel:
    """Read the encoder of a generator.

    Raises
    ------
    CowganError
        The file is missing, damaged, of another kind or of a newer version, or the encoder belongs
        to another generator.
    """
    path = Path(path)
    tensors, header, _ = _FILES.read(path)
    if header.generator_sha256 != checkpoint.sha256:
        raise CowganError(
            f"The encoder {path.name} belongs to another model than {checkpoint.card.name}; fit "
            "one to it with cowgan fit-encoder.",
            f"{header.generator_sha256} instead of {checkpoint.sha256}",
        )
    encoder = LatentEncoder(checkpoint.config, header.components)
    own = {name: tensor.shape for name, tensor in encoder.state_dict().items()}
    if own != {name: tensor.shape for name, tensor in tensors.items()} or not all(
        tensor.is_floating_point() and tensor.isfinite().all() for tensor in tensors.values()
    ):
        raise CowganError(f"{path.name} is damaged: its weights are not those of an encoder.")
    encoder.load_state_dict(tensors)
    return EncoderModel(
        encoder.requires_grad_(False).eval(), header.generator_sha256, header.provenance
    )


def stored_encoder(checkpoint: Checkpoint) -> EncoderModel | None:
    """Return the encoder beside a model's file, or the bundled one of the bundled model.

    Raises
    ------
    CowganError
        The file beside the model is damaged or belongs to another model.
    """
    beside = [encoder_path(checkpoint.path)] if checkpoint.path is not None else []
    for path in (*beside, encoder_path(BUNDLED)):
        if path.exists() and (path in beside or _belongs(path, checkpoint)):
            return load_encoder(path, checkpoint)
    return None


def _belongs(path: Path, checkpoint: Checkpoint) -> bool:
    _, header, _ = _FILES.read(path)
    return header.generator_sha256 == checkpoint.sha256
