"""The whole chain of the paper at toy scale, in a few minutes: from scans to segmentation.

Every step is the command that docs/reproduce_paper.md gives for the real thing, with far smaller
numbers; so nothing that comes out of it means anything. The scans are phantoms.

    python examples/reproduce_paper.py [--out FOLDER]
"""

import argparse
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from cowgan.simulate import make_phantom
from cowgan.volume import Volume, write_nifti

SUBJECTS = 12

EXPERIMENT = """
bank = "labelled"
model = "model.safetensors"
real = [2]
synthetic = [2]
teachers = [2]
pseudo_labelled = false
seeds = 1

[training]
steps = 2
patch_xy = 32
"""

COMMANDS = """
# Scans
scans scans
preprocess scans --roi auto --out volumes
build-bank volumes --holdout 0.3 --out bank

# Generator
train --bank bank --out run --preset paper --network-capacity 1 --fmap-max 8 --steps 2 \\
    --batch 1 --accumulate 1
export run model.safetensors
generate --checkpoint model.safetensors --psi 0.9 --seeds 0-11 --out generated

# Evaluation
evaluate --real volumes --generated generated --extractor coarse-vessels \\
    --features features --out evaluation

# Visual Turing test
turing new study --real volumes --generated generated --readers 1 --cases 10 --accept-leak toy

# Segmentation
simulate-bank --phantoms 6 --holdout 0.3 --out labelled
experiment segmentation experiment.toml
"""


def run(folder: Path) -> None:
    """Run every command in a folder."""
    write_scans(folder / "scans")
    (folder / "experiment.toml").write_text(EXPERIMENT, encoding="utf-8")
    for line in COMMANDS.replace("\\\n", " ").splitlines():
        if line.startswith("#"):
            print(f"\n== {line[2:]} ==", flush=True)
        elif line:
            print(f"$ cowgan {line}", flush=True)
            command = [sys.executable, "-m", "cowgan.cli", *shlex.split(line)]
            subprocess.run(command, cwd=folder, check=True)


def write_scans(folder: Path) -> None:
    """Write phantoms as scans, in scanner units and a larger field of view."""
    for seed in range(SUBJECTS):
        tof, _, _ = make_phantom(seed)
        scan = np.pad(500 * tof.data, 16, mode="reflect")
        write_nifti(Volume(scan, tof.affine), folder / f"sub-{seed:02d}_angio.nii.gz")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, help="Folder for everything; default: a temporary one.")
    with tempfile.TemporaryDirectory() as scratch:
        run(parser.parse_args().out or Path(scratch))
