"""Tests of the slope of vessel walls."""

import analytic_shapes as shapes
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from cowgan.measure.wall import wall_slope_per_mm
from cowgan.volume import Volume, default_affine


def tube_of_blur(sigma_mm: float, gain: float = 1.0, offset: float = 0.0):
    mask = np.pad(shapes.tube(shapes.line(20), 2.0, seed=1).mask, 6)
    image = gaussian_filter(mask.astype(np.float32), np.divide(sigma_mm, shapes.TEMPLATE))
    return Volume(gain * image + offset, default_affine(mask.shape)), mask


def test_blur_makes_walls_flatter():
    slopes = [wall_slope_per_mm(*tube_of_blur(sigma)) for sigma in (0.2, 0.5, 0.8, 1.1)]
    assert slopes == sorted(slopes, reverse=True)
    assert slopes[0] > 1.4 * slopes[-1]


def test_gain_and_offset_do_not_matter():
    one, other = tube_of_blur(0.5), tube_of_blur(0.5, 700, 90)
    assert wall_slope_per_mm(*other) == pytest.approx(wall_slope_per_mm(*one), rel=1e-4)


@pytest.mark.parametrize("filled", [False, True])
def test_without_walls_there_is_no_slope(filled):
    volume, mask = tube_of_blur(0.5)
    assert wall_slope_per_mm(volume, np.full_like(mask, filled)) == 0
