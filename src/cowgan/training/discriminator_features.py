"""Features of a discriminator: what it sees in a volume before it judges."""

from collections.abc import Callable
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load as deserialise
from safetensors.torch import save as serialise
from torch import Tensor

from cowgan.checkpoint import load
from cowgan.checkpoint.weights import load_into
from cowgan.errors import CowganError
from cowgan.features.extractor import Recipe
from cowgan.networks import Discriminator, NetworkConfig
from cowgan.text import dimensions
from cowgan.training.run_state import read_state
from cowgan.training.state_files import has_state, part_of
from cowgan.training.stylegan2_discriminator import StyleGan2Discriminator
from cowgan.volume import Volume

_Network = Discriminator | StyleGan2Discriminator

_NETWORKS: dict[str, Callable[[NetworkConfig], _Network]] = {
    "published": Discriminator,
    "modern": StyleGan2Discriminator,
}
"""Discriminators of volumes, by `TrainingConfig.discriminator`."""


class DiscriminatorFeatures:
    """An extractor: the last hidden layer of a model's own discriminator.

    Its score is a linear function of these features. They are those that its generator was
    trained to get right, so they diagnose a training but do not rank models. Each volume is
    described by itself, so a minibatch standard deviation is that of one volume.

    Parameters
    ----------
    source : Path
        A training run, of which the newest state is read, or a model file with a discriminator,
        such as a published one.

    Raises
    ------
    CowganError
        It cannot be read, or has no discriminator that sees volumes.
    """

    def __init__(self, source: Path) -> None:
        source = Path(source)
        found = _of_run(source) if has_state(source) else _of_model(source)
        self._architecture, self._config = found.architecture, found.config
        # As bytes, which are hashed, and reach other processes even if the run goes on.
        self._weights = serialise(found.tensors)
        self.dimensions = self._network.to_logit.in_features
        self.recipe = Recipe(
            f"Discriminator of {found.owner}",
            version=1,
            settings={"discriminator": self._architecture, "volume": self._config.volume_shape},
            weights_sha256=sha256(self._weights).hexdigest(),
        )

    @torch.inference_mode()
    def __call__(self, volume: Volume) -> NDArray[np.float32]:
        """Return one row."""
        if volume.shape != self._config.volume_shape:
            raise CowganError(
                f"The discriminator judges volumes of {dimensions(self._config.volume_shape)} "
                f"voxels (z, x, y), and this one has {dimensions(volume.shape)}."
            )
        low, high = volume.data.min(), volume.data.max()
        if low < 0 or high > 1:
            raise CowganError(
                f"The discriminator judges intensities of 0 to 1, and this volume has {low:g} to "
                f"{high:g}; scale it with cowgan preprocess."
            )
        return self._network.last_hidden(torch.tensor(volume.data)[None, None]).numpy()

    def __getstate__(self) -> dict[str, object]:
        # Each process builds the network for itself.
        return {name: value for name, value in vars(self).items() if name != "_network"}

    @cached_property
    def _network(self) -> _Network:
        build, tensors = _NETWORKS[self._architecture], deserialise(self._weights)
        return load_into(build, self._config, tensors, "", "discriminator").eval()


class _Found(NamedTuple):
    """A discriminator, and whose it is."""

    owner: str
    architecture: str
    config: NetworkConfig
    tensors: dict[str, Tensor]


def _of_run(folder: Path) -> _Found:
    tensors, description = read_state(folder)
    architecture = description.config["discriminator"]
    if architecture not in _NETWORKS:
        raise CowganError(
            f"The {architecture} discriminator of {folder} sees no volume, only views of it by "
            "EfficientNet; choose the extractor efficientnet, or a run of the preset modern or "
            "paper."
        )
    return _Found(
        f"{folder.resolve().name} at step {description.counters.step}",
        architecture,
        NetworkConfig.from_dict(description.config["network"]),
        part_of(tensors, "discriminator/"),
    )


def _of_model(path: Path) -> _Found:
    model = load(path)
    if model.discriminator is None:
        raise CowganError(
            f"{path} holds no discriminator, which an exported model does without; name its "
            "training run instead."
        )
    return _Found(path.name, "published", model.config, model.discriminator.state_dict())
