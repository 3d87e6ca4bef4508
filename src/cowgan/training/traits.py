"""Traits of volumes, whose moments are compared with those of real volumes. Differentiable."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from cowgan.features.efficientnet import CHANNELS, Backbone
from cowgan.features.views import PLANES, projection, resized

_MAX_COLUMNS = 64
_MIN_TEXTURE_COLUMNS = 64
_SLICES = 4


class ProjectionPixels:
    """The pixels of the projections onto each plane, of at most 64 columns.

    Parameters
    ----------
    shape : tuple of int
        Voxels (z, x, y) of volumes.
    """

    min_deviation = 0.02
    """In grey levels."""
    max_measured: int | None = None

    def __init__(self, shape: tuple[int, int, int]) -> None:
        self.count = self(torch.zeros(1, 1, *shape)).shape[1]

    def __call__(self, volumes: Tensor) -> Tensor:
        """Return the pixels of volumes (N, 1, z, x, y), shape (N, count)."""
        parts = []
        for plane in PLANES:
            picture = projection(volumes.clamp(0, 1).float(), plane)
            factors = [max(1, size // _MAX_COLUMNS) for size in picture.shape[2:]]
            parts.append(functional.avg_pool2d(picture, factors).flatten(1))
        return torch.cat(parts, 1)


class Textures(nn.Module):
    """Textures of the projections onto each plane and of axial slices.

    Mean and standard deviation over a picture of each feature map of EfficientNet-Lite0, at three
    depths, averaged over the slices of a volume. These are four at equal distances, at other places
    in each volume of a batch.

    Parameters
    ----------
    image_size : int
        Columns of volumes.

    Raises
    ------
    CowganError
        The extra that it needs is not installed.
    """

    min_deviation = 0.01
    max_measured: int | None = 512
    count = 2 * (len(PLANES) + 1) * sum(CHANNELS)

    def __init__(self, image_size: int) -> None:
        super().__init__()
        self._edge = max(image_size, _MIN_TEXTURE_COLUMNS)
        self._backbone = Backbone()

    def forward(self, volumes: Tensor) -> Tensor:
        """Return the textures of volumes (N, 1, z, x, y), shape (N, count)."""
        volumes = volumes.clamp(0, 1).float()
        axial, *flat = (projection(volumes, plane) for plane in PLANES)
        slices = resized(_slices(volumes), self._edge, False)
        upright = self._textures(torch.cat([resized(axial, self._edge, False), slices]))
        of_axial, of_slices = upright.split([len(volumes), len(slices)])
        of_flat = self._textures(torch.cat([resized(one, self._edge, True) for one in flat]))
        of_slices = of_slices.unflatten(0, (-1, _SLICES)).mean(1)
        return torch.cat([of_axial, *of_flat.chunk(len(flat)), of_slices], 1)

    def _textures(self, pictures: Tensor) -> Tensor:
        parts = []
        for maps in self._backbone(pictures):
            flat = maps.float().flatten(2)
            parts += [flat.mean(2), flat.std(2, unbiased=False)]
        return torch.cat(parts, 1)


def _slices(volumes: Tensor) -> Tensor:
    """Return slices of each volume, shape (4 N, 1, x, y), those of a volume one after another."""
    n, depth = len(volumes), volumes.shape[2]
    first = torch.arange(n)[:, None] / n
    places = ((torch.arange(_SLICES) + first) * depth / _SLICES).long()
    return volumes[torch.arange(n)[:, None], :, places].flatten(0, 1)
