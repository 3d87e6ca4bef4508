"""Sample data: synthetic volumes of the bundled model, and phantoms."""

from __future__ import annotations

from secrets import randbits
from typing import TYPE_CHECKING, cast

from napari.types import LayerDataTuple

if TYPE_CHECKING:
    from cowgan.volume import Volume

SAMPLE_SEED = 0
_SCAN_SEED = 1
_SEED_BITS = 32


def synthetic_tof() -> list[LayerDataTuple]:
    """Return the layer of the volume with seed 0; reproducible."""
    return _synthetic(SAMPLE_SEED)


def new_synthetic_volume() -> list[LayerDataTuple]:
    """Return the layer of a volume with a new random seed."""
    return _synthetic(randbits(_SEED_BITS))


def phantom_with_labels() -> list[LayerDataTuple]:
    """Return a phantom of a complete Circle of Willis: its TOF MRA and, on top, its arteries."""
    from cowgan.simulate.variants import COMPLETE

    return _phantom(SAMPLE_SEED, COMPLETE)


def new_phantom() -> list[LayerDataTuple]:
    """Return a phantom with a new random seed, with variants as frequent as in the population."""
    return _phantom(randbits(_SEED_BITS), None)


def tof_on_phantom() -> list[LayerDataTuple]:
    """Return another scan of the same phantom: another scanner and tissue, no labels."""
    from cowgan.simulate import make_anatomy, simulate_tof
    from cowgan.simulate.variants import COMPLETE
    from napari_cowgan.viewer.current_viewer import annotate_canvas, look_in_3d
    from napari_cowgan.viewer.display import volume_to_layer

    anatomy = make_anatomy(SAMPLE_SEED, COMPLETE)
    tof = simulate_tof(anatomy.occupancy, seed=_SCAN_SEED)
    annotate_canvas()
    look_in_3d()
    name = f"Simulated TOF MRA (phantom {SAMPLE_SEED}, scan {_SCAN_SEED})"
    return [cast(LayerDataTuple, volume_to_layer(tof, name))]


def _phantom(seed: int, variant: str | None) -> list[LayerDataTuple]:
    from cowgan.anatomy.arteries import LABEL_SCHEME
    from cowgan.simulate import make_phantom
    from napari_cowgan.viewer.current_viewer import annotate_canvas, expect_arteries, look_in_3d
    from napari_cowgan.viewer.display import labels_to_layer, volume_to_layer

    tof, labels, truth = make_phantom(seed, variant)
    provenance = {**tof.provenance, "labels": LABEL_SCHEME}
    annotate_canvas()
    look_in_3d()
    expect_arteries()
    layers = [
        volume_to_layer(tof, f"CoW phantom, {truth.variant} (seed {seed})"),
        labels_to_layer(labels, tof.affine, f"Arteries (seed {seed})", provenance),
    ]
    return [cast(LayerDataTuple, layer) for layer in layers]


def _synthetic(seed: int) -> list[LayerDataTuple]:
    from napari_cowgan.viewer.current_viewer import annotate_canvas
    from napari_cowgan.viewer.display import volume_to_layer

    annotate_canvas()
    layer = volume_to_layer(_render(seed), f"Synthetic TOF MRA (seed {seed})")
    return [cast(LayerDataTuple, layer)]


def _render(seed: int) -> Volume:
    from cowgan.checkpoint import load_bundled
    from cowgan.synthesis import LatentState, Synthesizer

    return Synthesizer(load_bundled()).render(LatentState(seed=seed))
