"""The networks of a run, with their first weights."""

from dataclasses import dataclass

import torch
from torch import nn

from cowgan.networks import initialise
from cowgan.networks.initialisation import initialise_as_rotation, initialise_for_rotation
from cowgan.training.anatomical_components import AnatomicalComponents
from cowgan.training.anchor import Anchor
from cowgan.training.config import TrainingConfig
from cowgan.training.discriminators import make_discriminator
from cowgan.training.generator import Generator
from cowgan.training.moments import Moments
from cowgan.training.traits import ProjectionPixels, Textures

_STYLE_DEVIATION = 0.3

_ONE_BY_ONE_FROM = 64
"""Columns from which a CPU trains faster by scaling each volume's weights, which are few, than
the activations of a batch."""


@dataclass(frozen=True)
class RunNetworks:
    """The networks of a run.

    Parameters
    ----------
    generator, ema : Generator
        The generator in training, and its exponential moving average.
    discriminator : nn.Module
        Its opponent.
    components : AnatomicalComponents, optional
        What latents stand for after a linear start; fitted by
        `cowgan.training.linear_start.start_linearly`.
    anchor : Anchor, optional
        Error of the components of generated volumes, if it has a weight.
    moments : dict of str to Moments
        Errors of the traits of generated volumes that have a weight, by the names of
        `TrainingConfig.trait_weights`.
    """

    generator: Generator
    ema: Generator
    discriminator: nn.Module
    components: AnatomicalComponents | None
    anchor: Anchor | None
    moments: dict[str, Moments]


def make_networks(config: TrainingConfig, device: torch.device) -> RunNetworks:
    """Return the networks of a run on its device; equal seeds give equal weights."""
    source = torch.Generator().manual_seed(config.seed)
    generator = Generator(config.network, config.start)
    initialise(generator.mapping, source)
    initialise(generator.synthesis, source)
    components, anchor = None, None
    if config.start == "linear":
        components = AnatomicalComponents.for_latents(config.network.latent_dim)
        anchor = Anchor(components.traits) if config.anchor_weight else None
        initialise_as_rotation(generator.mapping, source)
        initialise_for_rotation(generator.synthesis, _STYLE_DEVIATION, source)
        # Latents stay components of an anatomy, in unit variance.
        generator.mapping.requires_grad_(False)
    moments = {}
    if config.moment_weight:
        moments["moments"] = Moments(ProjectionPixels(config.network.volume_shape))
    if config.texture_weight:
        moments["textures"] = Moments(Textures(config.network.image_size))
    ema = Generator(config.network, config.start).requires_grad_(False)
    ema.load_state_dict(generator.state_dict())
    discriminator = make_discriminator(config, source)
    on_cpu = device.type == "cpu"
    generator.one_by_one = on_cpu and config.network.image_size >= _ONE_BY_ONE_FROM
    if not on_cpu:  # They were made on the CPU.
        for network in (generator, ema, discriminator, components, anchor, *moments.values()):
            if network is not None:
                network.to(device)
    return RunNetworks(generator, ema, discriminator, components, anchor, moments)
