"""Compare the PComs that are found and measured in phantoms with the truth.

Usage: python docs/measure_communicating.py [--phantoms 30]

Each phantom is a TOF MRA simulated on drawn arteries, whose PComs are present or absent at random.
"""

import argparse

import numpy as np
from rich.progress import track

from cowgan.anatomy.arteries import Artery
from cowgan.measure.communicating_courses import BodySide
from cowgan.measure.vessel_attributes import measure_vessels
from cowgan.simulate import make_anatomy, simulate_tof

_FIRST_SEED = 6000

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phantoms", type=int, default=30)
    seeds = range(_FIRST_SEED, _FIRST_SEED + parser.parse_args().phantoms)
    rows = []
    for seed in track(seeds):
        anatomy = make_anatomy(seed)
        found = measure_vessels(simulate_tof(anatomy.occupancy, seed=seed)).communicating
        for side, artery in ((BodySide.LEFT, Artery.L_PCOM), (BodySide.RIGHT, Artery.R_PCOM)):
            truth, course = anatomy.truth.arteries[artery], found.get(side)
            measured = np.nan if course is None else course.diameter_mm
            rows.append((truth.present, 2 * truth.radius_mm, measured))
    there, true_mm, measured_mm = np.array(rows, dtype=float).T
    present, seen = there > 0, np.isfinite(measured_mm)
    print(
        f"present: {np.sum(present & seen)} of {present.sum()} found; absent: "
        f"{np.sum(~present & ~seen)} of {np.sum(~present)} not found"
    )
    thin = present & (true_mm < 1)
    print(f"of those thinner than 1 mm: {np.sum(thin & seen)} of {thin.sum()} found")
    both = present & seen
    error = measured_mm[both] - true_mm[both]
    correlation = np.corrcoef(true_mm[both], measured_mm[both])[0, 1]
    print(f"diameter: {error.mean():+.2f} mm, SD {error.std():.2f} mm, r {correlation:.2f}")
