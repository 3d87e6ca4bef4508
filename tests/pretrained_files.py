"""Files in the layout of published, pretrained networks, with random weights."""

from collections.abc import Mapping
from pathlib import Path
from zlib import crc32

import numpy as np
import torch
from torch import Tensor

from cowgan.features.medicalnet import MedicalNet
from cowgan.features.weights_files import MEDICALNET


def random_weights(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Return weights that keep activations in range; each is determined by name and shape.

    Drawn by NumPy's frozen generator, so that features of these weights by other
    implementations can be kept.
    """
    return {name: torch.from_numpy(_values(name, shape)) for name, shape in shapes.items()}


def medicalnet_weights() -> dict[str, Tensor]:
    """Return weights of MedicalNet, named as in the published file."""
    with torch.device("meta"):
        network = MedicalNet()
    return random_weights(
        {f"module.{name}": tuple(value.shape) for name, value in network.state_dict().items()}
    )


def write_medicalnet(folder: Path) -> Path:
    """Write these weights as the published file is written, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"state_dict": medicalnet_weights(), "epoch": 1}
    torch.save(content, folder / MEDICALNET.name, _use_new_zipfile_serialization=False)
    return folder / MEDICALNET.name


def _values(name: str, shape: tuple[int, ...]) -> np.ndarray:
    random = np.random.RandomState(crc32(name.encode()))
    if len(shape) > 1:
        values = random.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
    elif name.endswith(("weight", "running_var")):
        values = random.uniform(0.5, 1.5, shape)
    else:
        values = random.normal(0, 0.1, shape)
    return values.astype(np.float32)
