"""Print how length and radius of tubes drawn from formulas are measured.

Usage: python tests/measured_tubes.py
"""

import analytic_shapes as shapes
import numpy as np
from scipy.ndimage import distance_transform_edt

from cowgan.measure import measure_mask
from cowgan.skeleton import skeletonize_mask

CURVES = (shapes.line(20), shapes.helix(5, 9, 1.2), shapes.circle(8))
RADII_MM = (0.5, 0.7, 1.0, 1.4, 2.0, 2.5)
ORIENTATIONS = 10


def errors(radius_mm: float) -> np.ndarray:
    """Return errors of length (%) and radius (mm), measured and as voxels alone tell, per tube."""
    found = []
    for curve in CURVES:
        for seed in range(ORIENTATIONS):
            shape = shapes.tube(curve, radius_mm, seed=seed)
            measured = measure_mask(shape.mask, shape.spacing_mm)
            skeleton = skeletonize_mask(shape.mask, shape.spacing_mm)
            chain_mm = skeleton.links_mm.sum() / 2
            to_outside = distance_transform_edt(shape.mask, sampling=shape.spacing_mm)
            half_voxel = np.mean(shape.spacing_mm) / 2
            found.append(
                (
                    100 * (measured.length_mm / shape.length_mm - 1),
                    100 * (chain_mm / shape.length_mm - 1),
                    measured.radius.mean_mm - radius_mm,
                    to_outside[tuple(skeleton.voxels.T)].mean() - half_voxel - radius_mm,
                )
            )
    return np.array(found)


def main() -> None:
    """Print the table."""
    print("| radius, mm | length, % | chain of voxels, % | radius, mm | distance transform, mm |")
    print("|---|---|---|---|---|")
    for radius_mm in RADII_MM:
        found = errors(radius_mm)
        cells = [
            f"{mean:+.{digits}f} ± {sd:.{digits}f}"
            for mean, sd, digits in zip(found.mean(0), found.std(0), (1, 1, 3, 3), strict=True)
        ]
        print(f"| {radius_mm} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
