"""Architecture of the networks."""

from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any

from cowgan.errors import CowganError
from cowgan.settings import Setting, require_valid

CONSTANT_SIZE = 4
"""Edge of the learned constant input of synthesis, in voxels."""


@dataclass(frozen=True)
class NetworkConfig:
    """Architecture of a 3D StyleGAN2.

    Raises
    ------
    CowganError
        A value is outside the range that the architecture allows.

    References
    ----------
    Aydin et al., NeuroImage 304 (2024) 120936; Karras et al., CVPR 2020 (StyleGAN2).
    """

    image_size: Annotated[
        int, Setting("Voxels of a generated volume along x and y, a power of two", 8, 1024)
    ] = 128
    depth: Annotated[
        int, Setting("Axial slices, a power of two up to the image size", CONSTANT_SIZE, 1024)
    ] = 32
    network_capacity: Annotated[
        int,
        Setting(
            "Half the channels of the finest block; each coarser block has twice as many", 1, 256
        ),
    ] = 8
    fmap_max: Annotated[int, Setting("Upper limit of the channels of any block", 1, 4096)] = 512
    latent_dim: Annotated[int, Setting("Length of the latents z and w", 1, 4096)] = 512
    style_depth: Annotated[int, Setting("Fully connected layers of the mapping network", 1, 32)] = 8
    lr_mlp: Annotated[
        float,
        Setting("Learning-rate multiplier of the mapping network, part of its forward pass", 0, 10),
    ] = 0.1

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            whole = field.name == "lr_mlp" or isinstance(value, int)
            if isinstance(value, bool) or not whole or not isinstance(value, int | float):
                raise CowganError(
                    f"The network's {field.name} must be a number of the right kind, "
                    f"not {value!r:.40}."
                )
        if not (_is_power_of_two(self.image_size) and 8 <= self.image_size <= 1024):
            raise CowganError(
                f"The image size must be a power of two from 8 to 1024, "
                f"not {self.image_size!r:.40}."
            )
        if not (_is_power_of_two(self.depth) and CONSTANT_SIZE <= self.depth <= self.image_size):
            raise CowganError(
                f"The depth must be a power of two from {CONSTANT_SIZE} to the image size "
                f"({self.image_size}), not {self.depth!r:.40}."
            )
        require_valid(self, "The network's")
        if not 0 < self.lr_mlp <= 10:
            raise CowganError(
                f"The network's lr_mlp must lie between 0 and 10, not {self.lr_mlp!r:.40}."
            )

    @property
    def n_blocks(self) -> int:
        """Number of synthesis blocks, and of style slots in W+."""
        return self.image_size.bit_length() - 2

    @property
    def volume_shape(self) -> tuple[int, int, int]:
        """Shape (z, x, y) of a generated volume."""
        return (self.depth, self.image_size, self.image_size)

    @property
    def synthesis_channels(self) -> tuple[int, ...]:
        """Output channels of each synthesis block, coarse to fine."""
        n = self.n_blocks
        return tuple(min(self.fmap_max, self.network_capacity * 2 ** (n - i)) for i in range(n))

    @property
    def discriminator_channels(self) -> tuple[int, ...]:
        """Output channels of each discriminator block, fine to coarse."""
        return tuple(
            min(self.fmap_max, self.network_capacity * 4 * 2**i) for i in range(self.n_blocks + 1)
        )

    def block_shape(self, block: int) -> tuple[int, int, int]:
        """Return the spatial shape (z, x, y) of synthesis block `block`."""
        size = CONSTANT_SIZE * 2**block
        return (min(size, self.depth), size, size)

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a plain dictionary."""
        return asdict(self)

    @classmethod
    def from_dict(cls, content: dict[str, Any]) -> "NetworkConfig":
        """Build a config from `to_dict`'s result; unknown or missing fields are refused."""
        names = {field.name for field in fields(cls)}
        if not isinstance(content, dict) or set(content) != names:
            raise CowganError(
                "The network configuration does not have the expected fields.",
                f"expected {sorted(names)}, got {content!r:.500}",
            )
        return cls(**content)


def _is_power_of_two(value: int) -> bool:
    return value > 0 and value & (value - 1) == 0


PRESETS: dict[str, NetworkConfig] = {
    "Small": NetworkConfig(network_capacity=8, fmap_max=256),
    "Medium_v1": NetworkConfig(network_capacity=8, fmap_max=512),
    "Medium_v2": NetworkConfig(network_capacity=8, fmap_max=1024),
    "Large": NetworkConfig(network_capacity=16, fmap_max=1024),
}
"""The four configurations of the paper, all 32 x 128 x 128."""
