"""Networks that segment arteries: MONAI's DynUNet on folded voxels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from torch import Tensor, nn

from cowgan.errors import CowganError
from cowgan.segmentation.monai_needed import MONAI_NEEDED
from cowgan.settings import Setting, require_valid

if TYPE_CHECKING:
    from monai.networks.nets.dynunet import DynUNet


@dataclass(frozen=True)
class SegmentationNetworkConfig:
    """Architecture of a segmentation network.

    Parameters
    ----------
    channels : tuple of int
        Channels of each level; every level after the first has half the resolution.
    fold : int
        Neighbouring voxels along x, and along y, that are channels of one column of the network,
        which then does as much work for a quarter of the columns. Labels keep the resolution of
        the image.
    deep_supervision : int
        Coarser levels that are also compared with the truth.

    Raises
    ------
    CowganError
        A value is out of bounds, or there are fewer than three levels.
    """

    channels: tuple[int, ...] = (24, 48, 96, 128)
    fold: Annotated[
        int, Setting("Voxels along x and along y in one column of the network", 1, 4)
    ] = 2
    deep_supervision: Annotated[
        int, Setting("Coarser levels that are compared with the truth as well", 0, 3)
    ] = 0

    def __post_init__(self) -> None:
        require_valid(self, "The segmentation network's")
        if not 3 <= len(self.channels) <= 8 or not all(1 <= n <= 2048 for n in self.channels):
            raise CowganError(
                "A segmentation network needs three to eight levels of 1 to 2048 channels."
            )
        if self.deep_supervision > len(self.channels) - 2:
            raise CowganError(
                f"A segmentation network of {len(self.channels)} levels can compare at most "
                f"{len(self.channels) - 2} coarser ones with the truth."
            )

    @property
    def multiple(self) -> tuple[int, int, int]:
        """Numbers of which the size of an image along (z, x, y) must be a multiple."""
        coarsest = 2 ** (len(self.channels) - 1)
        return coarsest, self.fold * coarsest, self.fold * coarsest


NETWORKS: Mapping[str, SegmentationNetworkConfig] = {
    "small": SegmentationNetworkConfig(),
    "medium": SegmentationNetworkConfig((32, 64, 128, 192, 256), 1, 1),
    "large": SegmentationNetworkConfig((48, 96, 192, 320, 320), 1, 2),
}
"""Presets: small for CPUs, medium and large for GPUs."""


class SegmentationNetwork(nn.Module):
    """A U-Net from TOF MRA to the logits of classes.

    Parameters
    ----------
    config : SegmentationNetworkConfig
        Architecture.
    classes : int
        Number of classes, background included.

    Raises
    ------
    CowganError
        MONAI is not installed.
    """

    def __init__(self, config: SegmentationNetworkConfig, classes: int) -> None:
        super().__init__()
        self.config = config
        self.classes = classes
        self.unet = _dynunet(config, classes)

    def forward(self, volumes: Tensor) -> list[Tensor]:
        """Return logits.

        Parameters
        ----------
        volumes : Tensor, shape (n, 1, z, x, y)
            Intensities from 0 to 1; sizes are multiples of `SegmentationNetworkConfig.multiple`.

        Returns
        -------
        list of Tensor, shape (n, classes, z, x, y)
            The result; in training followed by those of the coarser levels that are compared with
            the truth, finest first.
        """
        found = self.unet(fold(volumes, self.config.fold))
        levels = found.unbind(1) if found.ndim == 6 else (found,)
        return [unfold(level, self.config.fold) for level in levels]

    def weights(self) -> dict[str, Tensor]:
        """Return the weights by name, each once; its layers are known by two names to DynUNet."""
        return {name: weight.detach() for name, weight in self.named_parameters()}

    def load_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Set all weights; raises `CowganError` as `require_fitting` does."""
        self.require_fitting(weights)
        for name, weight in self.weights().items():
            weight.copy_(weights[name])

    def require_fitting(self, weights: Mapping[str, Tensor]) -> None:
        """Raise `CowganError` unless names and shapes of weights are those of this network."""
        own = {name: weight.shape for name, weight in self.weights().items()}
        given = {name: weight.shape for name, weight in weights.items()}
        if own != given:
            wrong = sorted(name for name in {*own, *given} if own.get(name) != given.get(name))
            raise CowganError("The weights do not fit the network they belong to.", repr(wrong))


def fold(volumes: Tensor, count: int) -> Tensor:
    """Return `count` by `count` neighbours of a slice as channels of one column."""
    n, c, z, x, y = volumes.shape
    parts = volumes.reshape(n, c, z, x // count, count, y // count, count)
    return parts.permute(0, 1, 4, 6, 2, 3, 5).reshape(n, c * count**2, z, x // count, y // count)


def unfold(volumes: Tensor, count: int) -> Tensor:
    """Return channels as neighbours of a slice: the inverse of `fold`."""
    n, c, z, x, y = volumes.shape
    parts = volumes.reshape(n, c // count**2, count, count, z, x, y)
    return parts.permute(0, 1, 4, 5, 2, 6, 3).reshape(n, c // count**2, z, x * count, y * count)


def _dynunet(config: SegmentationNetworkConfig, classes: int) -> "DynUNet":
    try:
        from monai.networks.nets.dynunet import DynUNet
    except ImportError as error:
        raise CowganError(f"{MONAI_NEEDED}.", repr(error)) from error
    levels = len(config.channels)
    strides = [1, *[2] * (levels - 1)]
    return DynUNet(
        spatial_dims=3,
        in_channels=config.fold**2,
        out_channels=classes * config.fold**2,
        kernel_size=[3] * levels,
        strides=strides,
        upsample_kernel_size=strides[1:],
        filters=config.channels,
        norm_name=("instance", {"affine": True}),
        deep_supervision=config.deep_supervision > 0,
        deep_supr_num=max(1, config.deep_supervision),
    )
