"""A trained model in memory."""

from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cowgan.checkpoint.latent_centres import LatentCentres, find_centres
from cowgan.checkpoint.latent_statistics import LatentStatistics, measure_statistics
from cowgan.networks import (
    Discriminator,
    MappingNetwork,
    NetworkConfig,
    SynthesisNetwork,
    initialise,
)

PUBLISHED_SPACING_MM = (0.62, 0.61875, 0.61875)
"""Voxel size (z, x, y) of the paper's template grid."""


@dataclass(frozen=True)
class ModelCard:
    """Information for users of a model; every field is free text."""

    name: str = "Unnamed model"
    licence: str = "not stated"
    training_data: str = "not stated"
    description: str = ""
    provenance: dict[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a plain dictionary."""
        return asdict(self)


@dataclass(eq=False)
class Checkpoint:
    """A 3D StyleGAN2 ready for use, in float32 on the CPU.

    Attributes
    ----------
    config : NetworkConfig
        Architecture.
    mapping : MappingNetwork
        Callable, z (N, latent_dim) to w (N, latent_dim).
    synthesis : SynthesisNetwork
        Callable, W+ (N, n_blocks, latent_dim) and optional noise (N, S, S, S) to
        unclamped volumes (N, 1, depth, S, S), with S the image size.
    discriminator : Discriminator or None
        Callable, volumes (N, 1, depth, S, S) to logits (N,), lower meaning more real.
    card : ModelCard
        Name, licence, training data.
    spacing_mm : tuple of float
        Voxel size (z, x, y) of generated volumes.
    path : Path or None
        File it was read from.
    sha256 : str or None
        SHA-256 of that file.
    notes : tuple of str
        Messages for the user, such as an assumption made while loading.
    tuned_to : str or None
        The scan that the weights of `synthesis` were changed for, unlike those of the file.
    """

    config: NetworkConfig
    mapping: MappingNetwork
    synthesis: SynthesisNetwork
    discriminator: Discriminator | None = None
    card: ModelCard = field(default_factory=ModelCard)
    spacing_mm: tuple[float, float, float] = PUBLISHED_SPACING_MM
    path: Path | None = None
    sha256: str | None = None
    notes: tuple[str, ...] = ()
    stored_statistics: LatentStatistics | None = None
    tuned_to: str | None = None

    def __post_init__(self) -> None:
        for network in (self.mapping, self.synthesis, self.discriminator):
            if network is not None:
                network.requires_grad_(False).eval()

    @cached_property
    def statistics(self) -> LatentStatistics:
        """Mean and covariance of the latent space, measured once if the file has none."""
        if self.stored_statistics is not None:
            return self.stored_statistics
        return measure_statistics(self.mapping, self.config.latent_dim)

    @property
    def w_mean(self) -> Tensor:
        """Mean of w, the centre of truncation, shape (latent_dim,)."""
        return self.statistics.w_mean

    @cached_property
    def w_centres(self) -> LatentCentres:
        """Centres of clusters of w, found once; takes a few seconds."""
        return find_centres(self.mapping, self.config.latent_dim)

    @classmethod
    def random(
        cls, config: NetworkConfig, seed: int = 0, discriminator: bool = True
    ) -> "Checkpoint":
        """Return an untrained model with the random weights of a seed."""
        generator = torch.Generator().manual_seed(seed)
        networks = (
            MappingNetwork(config),
            SynthesisNetwork(config),
            Discriminator(config) if discriminator else None,
        )
        for network in networks:
            if network is not None:
                initialise(network, generator)
        card = ModelCard(
            name=f"Untrained model (random weights, seed {seed})",
            licence="none needed",
            training_data="none",
            description="Random weights: the volumes show no anatomy.",
            provenance={"random_seed": seed},
        )
        return cls(config, *networks, card=card)
