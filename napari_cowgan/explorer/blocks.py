"""How blocks are called on screen."""

from cowgan.networks.config import NetworkConfig


def block_name(config: NetworkConfig | None, block: int) -> str:
    """Return a block's number and the size it works at, such as "block 3 (32³)"."""
    if config is None:
        return f"block {block}"
    d, h, w = config.block_shape(block)
    size = f"{h}³" if d == h == w else f"{d}×{h}×{w}"
    return f"block {block} ({size})"
