"""Features of Inception-v3, pretrained on photographs, of slices."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from cowgan.features.extractor import Recipe
from cowgan.features.pretrained import FrozenNorm, load_pretrained, minmax_scaled
from cowgan.files import sha256_of
from cowgan.volume import Volume

_MOST_SLICES = 32
_EDGE = 299
_EPSILON = 1e-3
_PICTURES_AT_ONCE = 8
"""Keeps the memory of a process near half a gigabyte."""

_mean_pool = partial(
    functional.avg_pool2d, kernel_size=3, stride=1, padding=1, count_include_pad=False
)
_max_pool = partial(functional.max_pool2d, kernel_size=3, stride=1, padding=1)
_halving_pool = partial(functional.max_pool2d, kernel_size=3, stride=2)


class _Step(NamedTuple):
    """What a convolution of a block does; one of stride 2 is not padded."""

    outputs: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1


_Branch = Sequence[Mapping[str, _Step]]
"""Stages by turns; convolutions of one stage have one input, and their outputs are joined."""


class _Convolution(nn.Module):
    """A convolution with normalisation and ReLU."""

    def __init__(
        self, inputs: int, outputs: int, kernel: tuple[int, int], stride: int = 1, pad: bool = True
    ) -> None:
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2) if pad else 0
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = FrozenNorm(outputs, _EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(x)))


class _Block(nn.Module):
    """Branches of convolutions and one of pooling, with a convolution if `pooled` is given."""

    def __init__(
        self,
        inputs: int,
        branches: Sequence[_Branch],
        pool: Callable[[Tensor], Tensor],
        pooled: int | None = None,
    ) -> None:
        super().__init__()
        self._branches = [[list(stage) for stage in branch] for branch in branches]
        self._pool = pool
        for branch in branches:
            channels = inputs
            for stage in branch:
                for name, (outputs, kernel, stride) in stage.items():
                    step = _Convolution(channels, outputs, kernel, stride, pad=stride == 1)
                    self.add_module(name, step)
                channels = sum(step.outputs for step in stage.values())
        self.branch_pool: nn.Module = nn.Identity()
        if pooled is not None:
            self.branch_pool = _Convolution(inputs, pooled, (1, 1))

    def forward(self, x: Tensor) -> Tensor:
        outputs = []
        for branch in self._branches:
            y = x
            for stage in branch:
                y = torch.cat([self.get_submodule(name)(y) for name in stage], 1)
            outputs.append(y)
        return torch.cat([*outputs, self.branch_pool(self._pool(x))], 1)


def _fine_block(inputs: int, pooled: int) -> _Block:
    branches: list[_Branch] = [
        [{"branch1x1": _Step(64)}],
        [{"branch5x5_1": _Step(48)}, {"branch5x5_2": _Step(64, (5, 5))}],
        [
            {"branch3x3dbl_1": _Step(64)},
            {"branch3x3dbl_2": _Step(96, (3, 3))},
            {"branch3x3dbl_3": _Step(96, (3, 3))},
        ],
    ]
    return _Block(inputs, branches, _mean_pool, pooled)


def _first_reduction() -> _Block:
    branches: list[_Branch] = [
        [{"branch3x3": _Step(384, (3, 3), 2)}],
        [
            {"branch3x3dbl_1": _Step(64)},
            {"branch3x3dbl_2": _Step(96, (3, 3))},
            {"branch3x3dbl_3": _Step(96, (3, 3), 2)},
        ],
    ]
    return _Block(288, branches, _halving_pool)


def _medium_block(width: int) -> _Block:
    branches: list[_Branch] = [
        [{"branch1x1": _Step(192)}],
        [
            {"branch7x7_1": _Step(width)},
            {"branch7x7_2": _Step(width, (1, 7))},
            {"branch7x7_3": _Step(192, (7, 1))},
        ],
        [
            {"branch7x7dbl_1": _Step(width)},
            {"branch7x7dbl_2": _Step(width, (7, 1))},
            {"branch7x7dbl_3": _Step(width, (1, 7))},
            {"branch7x7dbl_4": _Step(width, (7, 1))},
            {"branch7x7dbl_5": _Step(192, (1, 7))},
        ],
    ]
    return _Block(768, branches, _mean_pool, 192)


def _second_reduction() -> _Block:
    branches: list[_Branch] = [
        [{"branch3x3_1": _Step(192)}, {"branch3x3_2": _Step(320, (3, 3), 2)}],
        [
            {"branch7x7x3_1": _Step(192)},
            {"branch7x7x3_2": _Step(192, (1, 7))},
            {"branch7x7x3_3": _Step(192, (7, 1))},
            {"branch7x7x3_4": _Step(192, (3, 3), 2)},
        ],
    ]
    return _Block(768, branches, _halving_pool)


def _coarse_block(inputs: int, pool: Callable[[Tensor], Tensor]) -> _Block:
    branches: list[_Branch] = [
        [{"branch1x1": _Step(320)}],
        [
            {"branch3x3_1": _Step(384)},
            {"branch3x3_2a": _Step(384, (1, 3)), "branch3x3_2b": _Step(384, (3, 1))},
        ],
        [
            {"branch3x3dbl_1": _Step(448)},
            {"branch3x3dbl_2": _Step(384, (3, 3))},
            {"branch3x3dbl_3a": _Step(384, (1, 3)), "branch3x3dbl_3b": _Step(384, (3, 1))},
        ],
    ]
    return _Block(inputs, branches, pool, 192)


def inception() -> nn.Sequential:
    """Return Inception-v3 (Szegedy et al. 2016) up to its last pooling, in the variant of FID.

    The weights of Heusel et al. 2017 belong to it: mean pooling leaves the border out, and the
    last block takes the maximum instead. Maps pictures (N, 3, 299, 299), -1 to 1, to (N, 2048).
    """
    layers = {
        "Conv2d_1a_3x3": _Convolution(3, 32, (3, 3), stride=2, pad=False),
        "Conv2d_2a_3x3": _Convolution(32, 32, (3, 3), pad=False),
        "Conv2d_2b_3x3": _Convolution(32, 64, (3, 3)),
        "maxpool1": nn.MaxPool2d(3, 2),
        "Conv2d_3b_1x1": _Convolution(64, 80, (1, 1)),
        "Conv2d_4a_3x3": _Convolution(80, 192, (3, 3), pad=False),
        "maxpool2": nn.MaxPool2d(3, 2),
        "Mixed_5b": _fine_block(192, pooled=32),
        "Mixed_5c": _fine_block(256, pooled=64),
        "Mixed_5d": _fine_block(288, pooled=64),
        "Mixed_6a": _first_reduction(),
        "Mixed_6b": _medium_block(128),
        "Mixed_6c": _medium_block(160),
        "Mixed_6d": _medium_block(160),
        "Mixed_6e": _medium_block(192),
        "Mixed_7a": _second_reduction(),
        "Mixed_7b": _coarse_block(1280, _mean_pool),
        "Mixed_7c": _coarse_block(2048, _max_pool),
        "avgpool": nn.AdaptiveAvgPool2d(1),
        "flatten": nn.Flatten(),
    }
    return nn.Sequential(OrderedDict(layers))


class InceptionFeatures:
    """An extractor: Inception-v3 of axial slices, as Aydin et al. 2024 use it for FID.

    The features of pytorch-fid: each of up to 32 slices, see `slice_pictures`, gives a row.

    Parameters
    ----------
    weights : Path
        File ``pt_inception-2015-12-05-6726825d.pth`` of pytorch-fid; ``cowgan features fetch
        inception`` downloads it.

    Raises
    ------
    CowganError
        The file cannot be read or does not hold these weights.
    """

    name = "Inception-v3 (FID)"
    dimensions = 2048

    def __init__(self, weights: Path) -> None:
        self._weights = Path(weights)
        self._network = load_pretrained(inception, self._weights, self.name, unused="fc.")
        self.recipe = Recipe(
            self.name,
            version=1,
            settings={"slices": _MOST_SLICES, "scaling": "min-max of the volume, then of slices"},
            weights_sha256=sha256_of(self._weights),
        )

    @torch.inference_mode()
    def __call__(self, volume: Volume) -> NDArray[np.float32]:
        """Return one row for each slice."""
        pictures = torch.from_numpy(slice_pictures(volume)).split(_PICTURES_AT_ONCE)
        return np.concatenate([self._network(_network_input(some)).numpy() for some in pictures])

    def __reduce__(self) -> tuple[type["InceptionFeatures"], tuple[Path]]:
        # Each process loads the network for itself.
        return InceptionFeatures, (self._weights,)


def slice_pictures(volume: Volume) -> NDArray[np.uint8]:
    """Return the first 32 axial slices in 8 bits, as Aydin et al. 2024 make them.

    Intensities are scaled by the extremes of the volume, then by those of each slice, and
    rounded down. A slice of one value is black.

    Returns
    -------
    ndarray, shape (slices, x, y)

    Raises
    ------
    CowganError
        All voxels have the same value.
    """
    slices = minmax_scaled(volume).transpose(2, 0, 1)[:_MOST_SLICES].astype(np.float64)
    low, high = (find(slices, axis=(1, 2), keepdims=True) for find in (np.min, np.max))
    spread = np.where(high > low, high - low, 1)
    return (255 * ((slices - low) / spread)).astype(np.uint8)


def _network_input(pictures: Tensor) -> Tensor:
    """Return 8-bit pictures (N, x, y) as the network needs them, as pytorch-fid makes them."""
    grey = functional.interpolate(
        (pictures.float() / 255)[:, None], (_EDGE, _EDGE), mode="bilinear", align_corners=False
    )
    return (2 * grey - 1).expand(-1, 3, -1, -1)
