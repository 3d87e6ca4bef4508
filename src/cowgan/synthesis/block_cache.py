"""Outputs of the blocks for the last rendered state."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from cowgan.synthesis.noise import NoiseKey, noise_key
from cowgan.synthesis.state import LatentState

BlockKey = tuple[bytes, NoiseKey | None]
"""Style and noise of a block, which determine its output after given blocks."""


def block_keys(state: LatentState, ws: Tensor) -> list[BlockKey]:
    """Return the key of each block, given its styles, shape (n_blocks, latent_dim)."""
    return [(w.numpy().tobytes(), noise_key(state, block)) for block, w in enumerate(ws)]


@dataclass(frozen=True, eq=False)
class BlockOutput:
    """What a block makes.

    Parameters
    ----------
    key : BlockKey
        What it was made from, besides the output of the block before.
    x : Tensor
        Activations for the next block.
    image : Tensor
        Grey volume so far.
    """

    key: BlockKey
    x: Tensor
    image: Tensor


class BlockCache:
    """Outputs of the first blocks, as many as have been computed for one state."""

    def __init__(self) -> None:
        self._outputs: list[BlockOutput] = []

    def valid_blocks(self, keys: Sequence[BlockKey]) -> int:
        """Return how many blocks, from the first on, need not be computed for `keys`."""
        valid = 0
        for output, key in zip(self._outputs, keys, strict=False):
            if output.key != key:
                break
            valid += 1
        return valid

    def output(self, block: int) -> BlockOutput:
        """Return the output of a block that is cached."""
        return self._outputs[block]

    def add(self, output: BlockOutput) -> None:
        """Keep the output of the next block."""
        self._outputs.append(output)

    def discard(self, first: int = 0) -> None:
        """Discard the outputs of a block and all finer ones."""
        del self._outputs[first:]
