"""A set of volumes and an extractor that cost nothing."""

from collections.abc import Sequence

import numpy as np

from cowgan.features.extractor import Recipe
from cowgan.volume import Volume, default_affine


class Noise:
    """A set of volumes whose voxels are drawn from the name."""

    title = "noise"

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.subjects = names

    def volume(self, index: int) -> Volume:
        seed = int.from_bytes(self.names[index].encode(), "little") % 2**32
        data = np.random.default_rng(seed).random((4, 8, 8), np.float32)
        return Volume(data, default_affine((4, 8, 8)))

    def content(self, index: int) -> str:
        return self.names[index].strip("'")


class Moments:
    """An extractor: mean and standard deviation. It counts its calls."""

    dimensions = 2

    def __init__(self, version: int = 1) -> None:
        self.recipe = Recipe("Moments", version)
        self.calls = 0

    def __call__(self, volume: Volume) -> np.ndarray:
        self.calls += 1
        return np.array([[volume.data.mean(), volume.data.std()]], np.float32)
