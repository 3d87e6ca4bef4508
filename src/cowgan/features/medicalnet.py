"""Features of MedicalNet, a 3D ResNet-10 pretrained on medical images."""

from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from cowgan.errors import CowganError
from cowgan.features.extractor import Recipe
from cowgan.features.pretrained import FrozenNorm, load_pretrained, minmax_scaled
from cowgan.files import sha256_of
from cowgan.randomness import stream
from cowgan.volume import Volume

_SEED_BYTES = 8


class _Block(nn.Module):
    """A residual block of two convolutions."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(inputs, outputs, 3, stride, dilation, dilation, bias=False)
        self.bn1 = FrozenNorm(outputs)
        self.conv2 = nn.Conv3d(outputs, outputs, 3, 1, dilation, dilation, bias=False)
        self.bn2 = FrozenNorm(outputs)
        self.downsample: nn.Module = nn.Identity()
        if inputs != outputs:
            shortcut = nn.Conv3d(inputs, outputs, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, FrozenNorm(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.bn1(self.conv1(x)))
        return functional.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class MedicalNet(nn.Module):
    """The encoder of MedicalNet ResNet-10 (Chen et al. 2019, arXiv 1904.00625).

    Layers 3 and 4 are dilated and keep their size, as in the published code; a common ResNet-10
    accepts the same weights but halves the size there and yields other features.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv3d(1, 64, 7, 2, 3, bias=False)
        self.bn1 = FrozenNorm(64)
        self.maxpool = nn.MaxPool3d(3, 2, 1)
        # Blocks lie in a sequence of their own, as the names of their weights say.
        self.layer1 = nn.Sequential(_Block(64, 64))
        self.layer2 = nn.Sequential(_Block(64, 128, stride=2))
        self.layer3 = nn.Sequential(_Block(128, 256, dilation=2))
        self.layer4 = nn.Sequential(_Block(256, 512, dilation=4))

    def forward(self, volumes: Tensor) -> Tensor:
        """Map volumes (N, 1, x, y, z) to the mean of the deepest features (N, 512)."""
        x = self.maxpool(functional.relu(self.bn1(self.conv1(volumes))))
        deepest: Tensor = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return deepest.mean((2, 3, 4))


class MedicalNetFeatures:
    """An extractor: MedicalNet ResNet-10, as Aydin et al. 2024 use it.

    Intensities are scaled by `normalised`.

    Parameters
    ----------
    weights : Path
        File ``resnet_10_23dataset.pth`` of MedicalNet; ``cowgan features fetch medicalnet``
        downloads it.

    Raises
    ------
    CowganError
        The file cannot be read or does not hold these weights.
    """

    name = "MedicalNet ResNet-10"
    dimensions = 512

    def __init__(self, weights: Path) -> None:
        self._weights = Path(weights)
        self._network = load_pretrained(MedicalNet, self._weights, self.name, unused="conv_seg.")
        self.recipe = Recipe(
            self.name,
            version=1,
            settings={"scaling": "min-max, then z-score above 0 and noise at 0"},
            weights_sha256=sha256_of(self._weights),
        )

    @torch.inference_mode()
    def __call__(self, volume: Volume) -> NDArray[np.float32]:
        """Return one row."""
        return np.asarray(self._network(torch.from_numpy(normalised(volume))[None, None]))

    def __reduce__(self) -> tuple[type["MedicalNetFeatures"], tuple[Path]]:
        # Each process loads the network for itself.
        return MedicalNetFeatures, (self._weights,)


def normalised(volume: Volume) -> NDArray[np.float32]:
    """Return the input of MedicalNet as Aydin et al. 2024 make it, with axes (x, y, z).

    Intensities are scaled to [0, 1] by their extremes, then by mean and standard deviation of
    all voxels above 0. Voxels at 0 become standard normal noise: drawn anew at each run of the
    published code, here from a seed that the intensities determine, so that a volume always has
    the same features.

    Raises
    ------
    CowganError
        The voxels have fewer than three values.
    """
    scaled = minmax_scaled(volume)
    data = scaled.astype(np.float64)
    empty = data == 0
    inside = data[~empty]
    spread = inside.std()
    if not spread > 0:
        raise CowganError("All voxels of the volume that are not black have the same value.")
    seed = int.from_bytes(sha256(scaled.tobytes()).digest()[:_SEED_BYTES], "big")
    data = (data - inside.mean()) / spread
    data[empty] = stream("medicalnet noise", seed).standard_normal(int(empty.sum()))
    return data.astype(np.float32)
