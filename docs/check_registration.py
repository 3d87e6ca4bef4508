"""Check that the registration of scans to a template does not depend on how they are stored.

Usage: python docs/check_registration.py TEMPLATE SCANS...

Each scan is registered as it is, and again after known changes. Prints, for each, the score,
the share of the region of interest that is seen, the contrast of the arteries, whether
preprocessing would take it, and by how many millimetres the middle of the region differs
from where it was without the change. Needs SimpleITK.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from cowgan.data.case_processing import LEAST_COVERAGE
from cowgan.data.contrast import LEAST_CONTRAST, artery_contrast
from cowgan.data.registration import PASS_SCORE, Target, register
from cowgan.data.roi import find_centre_mm, region_around
from cowgan.data.scans import find_scans, read_case
from cowgan.data.template import read_template
from cowgan.errors import CowganError
from cowgan.text import dimensions
from cowgan.volume import Volume
from cowgan.volume.resampling import Grid, resample

SLAB_MM = 70.0
SLICE_MM = 1.6


def changes(scan: Volume, middle_mm: NDArray[np.float64]) -> Iterator[tuple[str, Volume, NDArray]]:
    """Yield a scan under known changes, with the 4 x 4 maps from old to new positions."""
    unmoved = np.eye(4)
    yield "as it is", scan, unmoved
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_rotvec(np.radians((8, -6, 10))).as_matrix()
    turn[:3, 3] = 12, -9, 15
    yield "turned and moved", Volume(scan.data, turn @ scan.affine), turn
    sz, sx, sy = scan.spacing_mm
    yield "thick slices", on_spacing(scan, (max(SLICE_MM, 2 * sz), sx, sy)), unmoved
    slice_of = np.linalg.solve(scan.affine, [*middle_mm, 1])[2]
    first, last = (round(float(slice_of + side * SLAB_MM / 2 / sz)) for side in (-1, 1))
    first, last = max(first, 0), min(last, scan.shape[0])
    affine = scan.affine.copy()
    affine[:3, 3] += first * affine[:3, 2]
    yield "slab", Volume(scan.data[first:last], affine), unmoved
    upper = min(last, scan.shape[0] - 2)
    affine = scan.affine.copy()
    affine[:3, 3] += upper * affine[:3, 2]
    yield "above the region", Volume(scan.data[upper:], affine), unmoved
    yield "inverted", Volume(scan.data.max() - scan.data, scan.affine), unmoved


def on_spacing(volume: Volume, spacing_mm: tuple[float, float, float]) -> Volume:
    """Return the same field of view in voxels of another size (z, x, y)."""
    old = np.array(volume.spacing_mm)
    nz, nx, ny = np.maximum(np.round(volume.shape * old / spacing_mm), 2).astype(int).tolist()
    affine = volume.affine.copy()
    affine[:3, :3] *= (np.array(spacing_mm) / old)[[1, 2, 0]]
    grid = Grid((nz, nx, ny), affine)
    affine[:3, 3] += Grid(volume.shape, volume.affine).centre_mm - grid.centre_mm
    return Volume(resample(volume, Grid((nz, nx, ny), affine)).data, affine)


def main() -> None:
    """Read the arguments and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("template", type=Path)
    parser.add_argument("scans", type=Path, nargs="+")
    arguments = parser.parse_args()
    template = read_template(arguments.template)
    centre = template.centre_mm
    if centre is None:
        centre = find_centre_mm(template.volume)
    target = Target(template.volume, centre)
    grid = region_around(centre, template.volume.affine)
    shown = resample(template.volume, grid).data
    found = find_scans(arguments.scans).require_cases(arguments.scans)
    for one in found.set_aside:
        print(f"set aside: {one.place}: {one.reason}")
    for case in found.cases:
        try:
            scan = read_case(case)
        except CowganError as error:
            print(f"{case.name}: {error.sentence}")
            continue
        spacing = dimensions(scan.spacing_mm, ".2f")
        print(f"{case.name}: {scan.shape} voxels of {spacing} mm (z, x, y)")
        middle = (register(scan, target).to_input @ [*centre, 1])[:3]
        for change, changed, matrix in changes(scan, middle):
            result = register(changed, target)
            part = resample(changed, grid, result.to_input)
            contrast = artery_contrast(part.data, part.inside, shown)
            taken = (
                result.score >= PASS_SCORE
                and part.coverage >= LEAST_COVERAGE
                and contrast >= LEAST_CONTRAST
            )
            place = np.linalg.solve(matrix, result.to_input @ [*centre, 1])[:3]
            print(
                f"  {change:18} {'taken' if taken else 'set aside':10} "
                f"score {result.score:.2f}  seen {part.coverage:4.0%}  "
                f"contrast {contrast:5.1f}  {np.linalg.norm(place - middle):5.1f} mm"
            )


if __name__ == "__main__":
    try:
        main()
    except CowganError as error:
        raise SystemExit(error.sentence) from error
