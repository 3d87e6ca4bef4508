"""Synthetic volumes of the bundled model, made on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from napari.types import LayerDataTuple

if TYPE_CHECKING:
    from cowgan.volume import Volume

SAMPLE_SEED = 0
_SEED_BITS = 32


def synthetic_tof() -> list[LayerDataTuple]:
    """Return the layer of the volume with seed 0; the same voxels every time."""
    return _layer(SAMPLE_SEED)


def new_synthetic_volume() -> list[LayerDataTuple]:
    """Return the layer of a volume nobody has seen before, with a fresh random seed."""
    from secrets import randbits

    return _layer(randbits(_SEED_BITS))


def _layer(seed: int) -> list[LayerDataTuple]:
    from napari_cowgan.display import volume_to_layer

    layer = volume_to_layer(_render(seed), f"Synthetic TOF MRA (seed {seed})")
    return [cast(LayerDataTuple, layer)]


def _render(seed: int) -> Volume:
    from cowgan.checkpoint import load_bundled
    from cowgan.synthesis import LatentState, Synthesizer

    return Synthesizer(load_bundled()).render(LatentState(seed=seed))
