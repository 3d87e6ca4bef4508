"""Generated volumes, measured: what attribute directions are fitted to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from platformdirs import user_cache_path

from cowgan.checkpoint import BUNDLED, Checkpoint
from cowgan.latent.attribute_files import load_samples, save_samples
from cowgan.latent.attribute_models import AttributeSamples
from cowgan.progress import Progress, Silent, advance
from cowgan.segmentation.artery_attributes import ATTRIBUTES, MEASURES, measured_values
from cowgan.segmentation.segmenter import Segmenter
from cowgan.synthesis import LatentState, Synthesizer

BUNDLED_SAMPLES = BUNDLED.with_name("attribute_samples.json")
"""Volumes of the bundled model, measured, to four digits."""

SAMPLES = 2000
_PER_PART = 25


def kept_samples(checkpoint: Checkpoint) -> Path | None:
    """Return where the measured volumes of a model are kept; None if it has no file."""
    if checkpoint.sha256 is None:
        return None
    folder = user_cache_path("napari-cowgan", appauthor=False) / "attributes"
    return folder / f"{checkpoint.sha256}.json"


def known_samples(checkpoint: Checkpoint) -> AttributeSamples | None:
    """Return the volumes of a model that were measured; None if there are none.

    Those that were measured on this computer, or the bundled ones if they are more.
    """
    kept = kept_samples(checkpoint)
    if kept is None:
        return None
    stored = _stored(kept, {"checkpoint": checkpoint.sha256})
    return max(stored, key=lambda samples: len(samples.seeds), default=None)


def measured_samples(
    synthesizer: Synthesizer,
    segmenter: Segmenter,
    count: int = SAMPLES,
    kept: Path | None = None,
    progress: Progress | None = None,
) -> AttributeSamples:
    """Render and measure the volumes of the first seeds, without truncation.

    Parameters
    ----------
    synthesizer : Synthesizer
        Renders the volumes; its cache is not touched.
    segmenter : Segmenter
        Finds the arteries.
    count : int
        Number of seeds, from 0.
    kept : Path, optional
        File to which what is measured is written from time to time, and from which a later call
        continues, even after the process was killed.
    progress : Progress, optional
        Reports each volume.

    Raises
    ------
    Cancelled
        The user cancelled; what was measured is kept.
    CowganError
        The device ran out of memory, or the file cannot be written.
    """
    progress = progress or Silent()
    recipe = {
        "checkpoint": synthesizer.checkpoint.sha256,
        "segmenters": [model.sha256 for model in segmenter.models],
        "attributes": list(ATTRIBUTES),
        "measures": MEASURES,
    }
    earlier = [] if kept is None else _stored(kept, recipe)
    known = {seed: values for samples in earlier for seed, values in _by_seed(samples).items()}
    missing = [seed for seed in range(count) if seed not in known]
    unwritten = 0
    try:
        advance(progress, count - len(missing), count)
        volumes = synthesizer.render_many(LatentState(seed) for seed in missing)
        for done, (seed, volume) in enumerate(
            zip(missing, volumes, strict=True), start=count - len(missing) + 1
        ):
            known[seed] = measured_values(volume, segmenter)
            unwritten += 1
            if kept is not None and unwritten == _PER_PART:
                save_samples(kept, _together(known), recipe)
                unwritten = 0
            advance(progress, done, count, f"seed {seed}")
    finally:
        if kept is not None and unwritten:
            save_samples(kept, _together(known), recipe)
    return _together({seed: known[seed] for seed in range(count)})


def _stored(kept: Path, recipe: Mapping[str, Any]) -> list[AttributeSamples]:
    """Return the bundled measurements, then the kept ones, where they are of a recipe."""
    found = (load_samples(path, recipe) for path in (BUNDLED_SAMPLES, kept) if path.exists())
    return [samples for samples in found if samples is not None]


def _by_seed(samples: AttributeSamples) -> dict[int, Mapping[str, Any]]:
    return {
        seed: {key: float(column[i]) for key, column in samples.values.items()}
        for i, seed in enumerate(samples.seeds)
    }


def _together(by_seed: Mapping[int, Mapping[str, float]]) -> AttributeSamples:
    seeds = tuple(sorted(by_seed))
    return AttributeSamples(
        seeds, {key: np.array([by_seed[seed][key] for seed in seeds]) for key in ATTRIBUTES}
    )
