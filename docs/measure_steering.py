"""Count how often the PComs of the bundled model become as wide as they are wanted.

Usage: python docs/measure_steering.py [--seeds 20] [--first 0]

For each seed, a left PCom that is there is made 0.3 mm wider, and one that is absent is made 1.8 mm
wide, as the sliders of the explorer do. What else changes is told.
"""

import argparse
import time

import numpy as np

from cowgan.checkpoint import load_bundled
from cowgan.errors import CowganError
from cowgan.latent.artery_steering import SteeringOutcome, find_communicating, steer
from cowgan.measure.communicating_courses import Side
from cowgan.synthesis import LatentState, Synthesizer

WIDER_MM, NEW_MM = 0.3, 1.8

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    synthesizer, find = Synthesizer(load_bundled()), find_communicating(Side.LEFT)
    rows = []
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        state = LatentState(seed)
        before = next(synthesizer.render_many([state]))
        found = find(before)
        there = found.course is not None
        asked = found.diameter_mm + WIDER_MM if there else NEW_MM
        tolerance = min(0.05 * asked, 0.2 * (asked - found.diameter_mm))
        start = time.monotonic()
        try:
            steps = list(steer(synthesizer, state, find, asked, tolerance, Side.LEFT))
        except CowganError as error:
            print(f"seed {seed}: {error.sentence}", flush=True)
            rows.append((there, False, np.nan, np.nan, np.nan))
            continue
        seconds, step = time.monotonic() - start, steps[-1]
        after = next(synthesizer.render_many([step.latent]))
        again = find(after)
        reached = step.outcome is SteeringOutcome.REACHED
        volumes = [each.vessels.values["volume_mm3"] for each in (found, again)]
        grown = 100 * (volumes[1] / volumes[0] - 1)
        voxels = float(np.abs(after.data - before.data).mean())
        rows.append((there, reached, seconds, grown, voxels))
        print(
            f"seed {seed}: {found.diameter_mm:.2f} mm, asked {asked:.2f} mm, measured "
            f"{again.diameter_mm:.2f} mm, {step.outcome.value} in {len(steps) - 1} steps and "
            f"{seconds:.0f} s; vessel volume {grown:+.1f} %, voxels {voxels:.4f}",
            flush=True,
        )
    for there, text in ((True, f"{WIDER_MM} mm wider"), (False, f"new, {NEW_MM} mm wide")):
        own = [row for row in rows if row[0] is there]
        done = [row for row in own if row[1]]
        print(f"{text}: {len(done)} of {len(own)} reached", end="")
        if done:
            grown, voxels = (np.median([abs(row[i]) for row in done]) for i in (3, 4))
            print(f"; median change of vessel volume {grown:.1f} %, of voxels {voxels:.4f}", end="")
        print()
