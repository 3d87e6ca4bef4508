"""Small studies that tests freeze."""

from pathlib import Path
from unittest.mock import patch

import numpy as np
from checkpoint_files import lively

from cowgan.checkpoint import save
from cowgan.turing.design.protocol import Protocol
from cowgan.turing.design.sources import CheckpointSource, FolderSource
from cowgan.turing.study.creation import new_study
from cowgan.turing.study.study import Study
from cowgan.volume import Volume, default_affine, write_nifti

SHAPE = (8, 16, 16)
SPACING_MM = (0.62, 0.61875, 0.61875)
STUDY_SEED = 123_456_789


def write_volumes(
    folder: Path, count: int, prefix: str = "sub-zebra", seed: int = 0, power: float = 1
) -> Path:
    """Write noise, whose histogram another power changes."""
    random = np.random.default_rng([seed, round(power * 10)])
    for number in range(count):
        data = (random.gamma(2, size=SHAPE) ** power).astype(np.float32)
        volume = Volume(data, default_affine(SHAPE, SPACING_MM))
        write_nifti(volume, folder / f"{prefix}{number:03d}_angio.nii.gz")
    return folder


def write_model(path: Path) -> Path:
    save(lively(), path)
    return path


def protocol(**changes: object) -> Protocol:
    small = {
        "seed": STUDY_SEED,
        "readers": 2,
        "cases": 20,
        "repeats": 4,
        "repeat_distance": 5,
        "practice": 4,
        "impressions": 2,
    }
    return Protocol(**{**small, **changes})


def freeze(
    folder: Path,
    chosen: Protocol | None = None,
    *,
    from_model: bool = False,
    salt: bytes = bytes(32),
    **options: object,
) -> Study:
    """Make ``folder/study``; its sources are made too where they are missing.

    The salt is always the same, as the audit of so few voxels finds a leak by chance.
    """
    chosen = chosen or protocol()
    count = chosen.volumes_per_class
    real, generated = folder / "real_scans", folder / "gan_volumes"
    model = folder / "gan_model.safetensors"
    if not real.exists():
        write_volumes(real, count)
    source: FolderSource | CheckpointSource
    if from_model:
        source = CheckpointSource(write_model(model), chosen.psi, "cpu")
    else:
        source = FolderSource(
            generated if generated.exists() else write_volumes(generated, count, "fake", seed=1)
        )
    with patch("cowgan.turing.study.creation.new_salt", lambda: salt):
        return new_study(folder / "study", FolderSource(real), source, chosen, **options)
