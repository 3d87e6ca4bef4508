"""Write what the bundled directions change, by which the explorer names them.

Usage: python docs/measure_directions.py
"""

from rich.progress import track

from cowgan.checkpoint import load_bundled
from cowgan.latent import stored_directions
from cowgan.latent.direction_effects import measured_effects
from cowgan.latent.effect_files import BUNDLED_EFFECTS, save_effects
from cowgan.synthesis import Synthesizer

if __name__ == "__main__":
    checkpoint = load_bundled()
    directions = stored_directions(checkpoint)
    assert directions is not None
    effects = measured_effects(Synthesizer(checkpoint), directions)
    measured = list(track(effects, total=len(directions)))
    save_effects(BUNDLED_EFFECTS, measured, checkpoint)
    for direction, each in zip(directions, measured, strict=True):
        print(f"{direction.name}: {'; '.join(e.text() for e in each.found) or 'nothing'}")
