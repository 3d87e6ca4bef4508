"""Names of network blocks on screen."""

from cowgan.networks.architecture import NetworkConfig


def block_name(config: NetworkConfig | None, block: int) -> str:
    """Return a block's number and output size, such as "block 3 (32³)"."""
    if config is None:
        return f"block {block}"
    return f"block {block} ({block_size(config, block)})"


def block_size(config: NetworkConfig, block: int) -> str:
    """Return a block's output size, such as "32³" or "32×64×64"."""
    d, h, w = config.block_shape(block)
    return f"{h}³" if d == h == w else f"{d}×{h}×{w}"
