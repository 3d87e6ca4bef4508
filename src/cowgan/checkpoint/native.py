"""The project's own checkpoint format: one safetensors file with a JSON header."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from cowgan.checkpoint.latent_statistics import LatentStatistics
from cowgan.checkpoint.model import Checkpoint, ModelCard
from cowgan.checkpoint.model_files import ModelFiles
from cowgan.checkpoint.weights import load_into, with_prefix
from cowgan.documents import checked
from cowgan.errors import CowganError
from cowgan.networks import Discriminator, MappingNetwork, NetworkConfig, SynthesisNetwork

_STATISTICS = ("w_mean", "p_mean", "p_covariance")


@dataclass(frozen=True)
class _Header:
    config: dict[str, Any]
    card: dict[str, Any]
    spacing_mm: tuple[float, float, float]

    def __post_init__(self) -> None:
        if not all(0 < size < 100 for size in self.spacing_mm):
            raise CowganError(f"A voxel cannot have a size of {self.spacing_mm} mm.")


_FILES = ModelFiles("cowgan-checkpoint", "checkpoint", _Header)


def save(
    checkpoint: Checkpoint, path: Path, precision: Literal["float32", "float16"] = "float32"
) -> None:
    """Write a checkpoint in the native format, atomically.

    The same checkpoint always gives the same bytes. The file holds the EMA networks, the
    latent statistics and the model card. Half precision nearly halves its size and changes
    volumes by less than 1e-3; the mapping network, whose rounding would move all latents the same
    way, stays in full precision.

    Raises
    ------
    CowganError
        The name does not end in ``.safetensors`` or the file cannot be written.
    """
    dtype = getattr(torch, precision)
    networks = {
        "mapping": (checkpoint.mapping, torch.float32),
        "synthesis": (checkpoint.synthesis, dtype),
        "discriminator": (checkpoint.discriminator, dtype),
    }
    tensors = {
        f"{name}.{key}": tensor.to(stored)
        for name, (network, stored) in networks.items()
        if network is not None
        for key, tensor in network.state_dict().items()
    }
    for key in _STATISTICS:
        tensors[f"statistics.{key}"] = getattr(checkpoint.statistics, key)
    header = _Header(checkpoint.config.to_dict(), checkpoint.card.to_dict(), checkpoint.spacing_mm)
    _FILES.write(path, tensors, header)


def load_native(path: Path) -> Checkpoint:
    """Read a native checkpoint; see `cowgan.checkpoint.load`."""
    tensors, header, sha256 = _FILES.read(path)
    config = NetworkConfig.from_dict(header.config)
    discriminator = None
    if with_prefix(tensors, "discriminator."):
        discriminator = load_into(Discriminator, config, tensors, "discriminator.", "discriminator")
    known = ("mapping.", "synthesis.", "discriminator.", "statistics.")
    extra = [name for name in tensors if not name.startswith(known)]
    if extra:
        raise CowganError(
            f"{path.name} holds {len(extra)} tensors that do not belong to a checkpoint.",
            repr(extra[:20]),
        )
    return Checkpoint(
        config=config,
        mapping=load_into(MappingNetwork, config, tensors, "mapping.", "mapping network"),
        synthesis=load_into(SynthesisNetwork, config, tensors, "synthesis.", "synthesis network"),
        discriminator=discriminator,
        card=checked(header.card, ModelCard, f"The model card in {path.name}", other_versions=True),
        spacing_mm=header.spacing_mm,
        path=path,
        sha256=sha256,
        stored_statistics=_statistics(with_prefix(tensors, "statistics."), config, path),
    )


def _statistics(tensors: dict[str, Tensor], config: NetworkConfig, path: Path) -> LatentStatistics:
    size = config.latent_dim
    shapes = {"w_mean": (size,), "p_mean": (size,), "p_covariance": (size, size)}
    found = {name: tuple(t.shape) for name, t in tensors.items() if t.is_floating_point()}
    moments = {name: tensor.float() for name, tensor in tensors.items()}
    if found != shapes or not all(moment.isfinite().all() for moment in moments.values()):
        raise CowganError(
            f"The latent statistics in {path.name} are missing or damaged.", repr(found)
        )
    return LatentStatistics(**moments)
