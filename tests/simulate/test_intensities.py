from pathlib import Path

import numpy as np
import pytest
from simulated_intensities import REAL, TOLERANCE, load_crops, real, simulated


@pytest.mark.parametrize("count", [16, pytest.param(100, marks=pytest.mark.slow)])
def test_simulated_intensities_match_measured_ones(shared_dir: Path, count: int) -> None:
    crops = load_crops(shared_dir / "data" / "ixi_cow_anatomies.npz", count)
    ratio = simulated(crops).mean(axis=0) / real()
    off = {name: round(r, 2) for name, r in zip(REAL, ratio, strict=True)}
    assert np.abs(ratio - 1).max() <= TOLERANCE, off


def test_crops_differ_from_each_other_as_patients_do(shared_dir: Path) -> None:
    statistics = simulated(load_crops(shared_dir / "data" / "ixi_cow_anatomies.npz", 12))
    spread = statistics.std(axis=0) / statistics.mean(axis=0)
    bright = list(REAL).index("percentile 99")
    assert 0.1 < spread[bright] < 0.5
