"""The discriminators to train with: published, StyleGAN2 and projected."""

from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from cowgan.features.views import Features
from cowgan.networks import Discriminator, initialise
from cowgan.training.config import TrainingConfig
from cowgan.training.stylegan2_discriminator import initialised_discriminator


@runtime_checkable
class FeatureDiscriminator(Protocol):
    """A discriminator on fixed features of randomly chosen views."""

    def renew(self) -> None:
        """Update what is estimated from the weights; once a step."""

    def look(self, generator: torch.Generator) -> None:
        """Choose the views of the next volumes."""

    def features(self, volumes: Tensor) -> Features:
        """Return the features of volumes, by view."""

    def judge(self, features: Features) -> list[Tensor]:
        """Return the logits of each head."""


def make_discriminator(config: TrainingConfig, generator: torch.Generator) -> nn.Module:
    """Return the discriminator of a config, with random weights."""
    if config.discriminator == "published":
        published = Discriminator(config.network)
        initialise(published, generator)
        return published
    if config.discriminator == "projected":
        # Loads a pretrained network, which the others do without.
        from cowgan.training.projected_discriminator import ProjectedDiscriminator

        network = config.network
        return ProjectedDiscriminator(network.depth, network.image_size, generator)
    return initialised_discriminator(config.network, generator)
