"""Count how often the PComs of the bundled model become as wide as they are wanted.

Usage: python docs/measure_steering.py [--seeds 20] [--new]

In the volumes of the first seeds with a left PCom, it is made 0.3 mm wider; with ``--new``, in
those of the first seeds without one, one of 1.8 mm is made, as the slider of the explorer does.
What else changes is told.
"""

import argparse
import itertools
import time

import numpy as np

from cowgan.checkpoint import load_bundled
from cowgan.errors import CowganError
from cowgan.latent.artery_steering import SteeringOutcome, find_communicating, steer
from cowgan.measure.communicating_courses import BodySide
from cowgan.synthesis import LatentState, Synthesizer

WIDER_MM, NEW_MM = 0.3, 1.8


def main() -> None:
    """Print one line for each seed, then their number."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--new", action="store_true")
    arguments = parser.parse_args()
    synthesizer, find = Synthesizer(load_bundled()), find_communicating(BodySide.LEFT)
    reached: list[tuple[float, float]] = []
    count = 0
    for seed in itertools.count():
        if count == arguments.seeds:
            break
        state = LatentState(seed)
        before = next(synthesizer.render_many([state]))
        found = find(before)
        if (found.course is None) is not arguments.new:
            continue
        count += 1
        asked = NEW_MM if arguments.new else found.diameter_mm + WIDER_MM
        tolerance = min(0.05 * asked, 0.2 * (asked - found.diameter_mm))
        start = time.monotonic()
        try:
            steps = list(steer(synthesizer, state, find, asked, tolerance, BodySide.LEFT))
        except CowganError as error:
            print(f"seed {seed}: {error.sentence}", flush=True)
            continue
        seconds, step = time.monotonic() - start, steps[-1]
        after = next(synthesizer.render_many([step.latent]))
        again = find(after)
        volumes = [each.vessels.values["volume_mm3"] for each in (found, again)]
        grown = 100 * (volumes[1] / volumes[0] - 1)
        voxels = float(np.abs(after.data - before.data).mean())
        if step.outcome is SteeringOutcome.REACHED:
            reached.append((abs(grown), voxels))
        print(
            f"seed {seed}: {found.diameter_mm:.2f} mm, asked {asked:.2f} mm, measured "
            f"{again.diameter_mm:.2f} mm, {step.outcome.value} in {len(steps) - 1} steps and "
            f"{seconds:.0f} s; vessel volume {grown:+.1f} %, voxels {voxels:.4f}",
            flush=True,
        )
    print(f"{len(reached)} of {count} reached")
    if reached:
        grown, voxels = np.median(reached, axis=0)
        print(f"median change of vessel volume {grown:.1f} %, of voxels {voxels:.4f}")


if __name__ == "__main__":
    main()
