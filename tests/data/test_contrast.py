"""Tests of the artery contrast of registered scans."""

import numpy as np
import pytest
from scipy.ndimage import shift

from cowgan.data.contrast import LEAST_CONTRAST, artery_contrast

SHAPE = (12, 40, 40)


@pytest.fixture
def arteries() -> np.ndarray:
    found = np.zeros(SHAPE, bool)
    found[5:7, 5:35, 19:21] = found[5:7, 19:21, 5:35] = True
    return found


def image(arteries: np.ndarray, brightness: float, seed: int = 0) -> np.ndarray:
    tissue = np.random.default_rng(seed).normal(100, 15, SHAPE)
    return np.where(arteries, brightness, tissue).astype(np.float32)


def test_tof_passes_and_other_contrasts_do_not(arteries):
    template = image(arteries, 250)
    inside = np.ones(SHAPE, bool)
    assert artery_contrast(2 * image(arteries, 250, 1) + 7, inside, template) > 5
    elsewhere = shift(image(arteries, 250, 1), (0, 1, 1), order=1, mode="nearest")
    assert artery_contrast(elsewhere, inside, template) > LEAST_CONTRAST
    for brightness in (40, 100):
        other = image(arteries, brightness, 1)
        assert artery_contrast(other, inside, template) < LEAST_CONTRAST


def test_only_voxels_inside_the_scan_count(arteries):
    template = image(arteries, 250)
    part, inside = template.copy(), np.ones(SHAPE, bool)
    part[:6], inside[:6] = 0, False
    assert artery_contrast(part, inside, template) > 5
    assert artery_contrast(part, np.zeros(SHAPE, bool), template) == 0
    assert artery_contrast(np.ones(SHAPE, np.float32), inside, template) == 0
