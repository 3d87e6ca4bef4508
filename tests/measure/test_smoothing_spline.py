"""Cubic smoothing splines through few points."""

import numpy as np
import pytest
from scipy.interpolate import make_smoothing_spline

from cowgan.measure.smoothing_spline import smoothing_spline


@pytest.mark.parametrize("count", [5, 6, 40])
def test_the_curve_is_that_of_an_independent_implementation(count):
    random = np.random.default_rng(count)
    way = np.cumsum(random.uniform(0.5, 1.1, count))
    points = random.standard_normal((count, 3))
    weight = np.ones(count)
    weight[0] = 1e4
    at = np.linspace(way[0], way[-1], 3 * count)
    theirs = make_smoothing_spline(way, points, w=weight, lam=0.7)(at)
    np.testing.assert_allclose(smoothing_spline(way, points, weight, 0.7, at), theirs, atol=1e-6)


def test_a_straight_line_stays():
    way = np.array([0.0, 1.0, 2.5, 3.0, 5.0])
    line = np.stack([way, 2 * way, 1 - way], axis=1)
    at = np.linspace(0, 5, 11)
    found = smoothing_spline(way, line, np.ones(5), 100.0, at)
    np.testing.assert_allclose(found, np.stack([at, 2 * at, 1 - at], axis=1), atol=1e-9)
