"""Preprocess a folder of scans without a template, and print the path of the quality page.

Usage: python preprocess_folder.py [FOLDER]
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

from cowgan.data.preprocess import PreprocessConfig, preprocess
from cowgan.simulate import make_phantom
from cowgan.volume import Volume, write_nifti


def main() -> None:
    """Make three scans and a damaged one, and preprocess them in two processes."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    scans, out = folder / "scans", folder / "preprocessed"
    for seed in range(3):
        volume, _, _ = make_phantom(seed)
        # Scanners use other units than 0 to 1, and cover more than the circle.
        scanner_units = np.pad(500 * volume.data, 16, mode="reflect")
        write_nifti(Volume(scanner_units, volume.affine), scans / f"subject-{seed}.nii.gz")
    (scans / "subject-3.nii.gz").write_bytes(b"This is no scan.")

    summary = preprocess([scans], out, PreprocessConfig(roi="auto", jobs=2))
    for record in summary.records:
        print(f"{record.name}: {record.status}. {record.reason}")
    print(f"Quality page: {summary.quality_page}")


if __name__ == "__main__":
    main()
