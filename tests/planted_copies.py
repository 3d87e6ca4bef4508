"""People with simple arteries, and copies of them as a generator might hide them."""

from collections.abc import Sequence
from hashlib import sha256

import numpy as np
from scipy.ndimage import gaussian_filter, shift

from cowgan.volume import Volume, default_affine

SHAPE = (24, 64, 64)
CURVES = (((6, 8, 8), (18, 56, 10)), ((8, 8, 54), (16, 56, 56)), ((12, 30, 4), (12, 34, 60)))


class Volumes:
    """A set of volumes in memory."""

    def __init__(self, title: str, volumes: dict[str, Volume]) -> None:
        self.title = title
        self.names: Sequence[str] = list(volumes)
        self.subjects: Sequence[str] = [name.split(" ")[0] for name in volumes]
        self._volumes = list(volumes.values())

    def volume(self, index: int) -> Volume:
        return self._volumes[index]

    def content(self, index: int) -> str:
        return sha256(self._volumes[index].data.tobytes()).hexdigest()


def person(seed: int) -> Volume:
    """Return bright curves in dark tissue, which run alike but not the same in each person."""
    random = np.random.default_rng(seed)
    vessels = np.zeros(SHAPE, np.float32)
    along = np.linspace(0, 1, 400)
    for start, end in CURVES:
        ends = [np.array(place) + random.normal(0, 3, 3) for place in (start, end)]
        line = ends[0] + along[:, None] * (ends[1] - ends[0])
        for wave in (1, 2, 3):
            line += random.normal(0, 5 / wave, 3) * np.sin(wave * np.pi * along)[:, None]
        index = tuple(np.clip(line.round().astype(int), 0, np.array(SHAPE) - 1).T)
        vessels[index] = 1
    bright = np.minimum(3 * gaussian_filter(vessels, 1.2), 0.8)
    noise = random.normal(0, 0.02, SHAPE)
    return Volume(np.float32(np.clip(0.15 + bright + noise, 0, 1)), default_affine(SHAPE))


def plant(volume: Volume, other: Volume) -> dict[str, Volume]:
    """Return copies of a volume as a generator might hide them."""
    data = volume.data
    noise = np.random.default_rng(0).normal(0, 0.02, volume.shape)
    left, back = other.data.copy(), other.data.copy()
    middle = volume.shape[1] // 2
    left[:, middle:] = data[:, middle:]
    back[:, :, :middle] = data[:, :, :middle]
    copies = {
        "exact": data,
        "mirrored": data[:, ::-1],
        "moved": shift(data, (0, 3.2, 0), order=1, mode="nearest"),
        "moved-obliquely": shift(data, (2, -2, 2), order=1, mode="nearest"),
        "other-intensities": np.clip(0.7 * data**0.6 + 0.1 + noise, 0, 1),
        "left-half": left,
        "back-half": back,
    }
    return {name: Volume(np.float32(of), volume.affine) for name, of in copies.items()}
