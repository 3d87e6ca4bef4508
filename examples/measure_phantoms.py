"""Measure phantoms of the Circle of Willis and compare with the truth.

Usage: python measure_phantoms.py
"""

from cowgan.anatomy.arteries import Artery
from cowgan.measure import measure, measure_labels
from cowgan.simulate import make_phantom

for seed, variant in enumerate(("complete", "fetal L-PCA", "absent R-A1")):
    volume, labels, truth = make_phantom(seed, variant)
    found = measure(volume)
    print(f"Phantom {seed}, {truth.variant}")
    print(f"  volume {found.volume_mm3:6.0f} mm³, true {truth.volume_mm3:6.0f}")
    print(f"  length {found.length_mm:6.0f} mm,  true {truth.length_mm:6.0f}")
    arteries = measure_labels(labels, volume.spacing_mm)
    for artery in (Artery.BA, Artery.L_PCOM, Artery.R_ACA):
        known = truth.arteries[artery]
        print(
            f"  {artery.abbreviation:6} radius {arteries[artery].radius.mean_mm:.2f} mm, "
            f"true {known.radius_mm:.2f}; length {arteries[artery].length_mm:4.1f} mm, "
            f"true {known.length_mm:4.1f}"
        )
