"""Features of vessel maps and axial MIPs: coarse, but fast enough for metrics of training."""

from math import prod

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from cowgan.features.extractor import Recipe
from cowgan.features.vessel_occupancy import MAP_SHAPE, vessel_maps
from cowgan.features.views import projection
from cowgan.volume import Volume
from cowgan.volume.intensity import rescale

_MIP_SIZE = 64


class CoarseVesselFeatures:
    """An extractor: the vessel map and the axial MIP, both at low resolution.

    Intensities are scaled by `rescale`.
    """

    dimensions = prod(MAP_SHAPE) + _MIP_SIZE**2

    def __init__(self) -> None:
        self.recipe = Recipe(
            "coarse vessel maps and MIPs",
            version=1,
            settings={"map": MAP_SHAPE, "mip": _MIP_SIZE, "scaling": "robust"},
        )

    def __call__(self, volume: Volume) -> NDArray[np.float32]:
        """Return one row."""
        return self.of_array(volume.data)

    def of_array(self, data: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return one row for intensities of shape (z, x, y)."""
        volumes = torch.from_numpy(rescale(data))[None, None]
        mips = functional.adaptive_avg_pool2d(projection(volumes, "axial"), _MIP_SIZE)
        parts: list[Tensor] = [vessel_maps(volumes), mips]
        return torch.cat([part.flatten(1) for part in parts], 1).numpy()
