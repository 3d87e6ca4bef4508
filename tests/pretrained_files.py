"""Files in the layout of published, pretrained networks, with random weights."""

from collections.abc import Mapping
from zlib import crc32

import numpy as np
import torch
from torch import Tensor


def random_weights(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, Tensor]:
    """Return weights that keep activations in range; each is determined by name and shape.

    Drawn by NumPy's frozen generator, so that features of these weights by other
    implementations can be kept.
    """
    return {name: torch.from_numpy(_values(name, shape)) for name, shape in shapes.items()}


def _values(name: str, shape: tuple[int, ...]) -> np.ndarray:
    random = np.random.RandomState(crc32(name.encode()))
    if len(shape) > 1:
        values = random.standard_normal(shape) * np.sqrt(2 / np.prod(shape[1:]))
    elif name.endswith(("weight", "running_var")):
        values = random.uniform(0.5, 1.5, shape)
    else:
        values = random.normal(0, 0.1, shape)
    return values.astype(np.float32)
