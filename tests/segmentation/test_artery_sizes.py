"""Tests of the sizes of single arteries."""

import numpy as np
import pytest

from cowgan.anatomy.label_schemes import TERRITORIES
from cowgan.errors import Cancelled
from cowgan.segmentation.artery_sizes import artery_sizes

SPACING_MM = (0.5, 0.5, 0.5)


def two_tubes() -> np.ndarray:
    """Return a tube of 20 mm and radius 1.5 mm, and one of half the length in two pieces."""
    x, y = np.meshgrid(*[np.arange(40) - 20] * 2, indexing="ij")
    disc = np.hypot(x, y) <= 3
    labels = np.zeros((60, 80, 40), np.uint8)
    labels[10:50, :40] = 4 * disc
    labels[10:20, 40:] = 5 * disc
    labels[40:50, 40:] = 5 * disc
    return labels


def test_every_artery_is_measured_on_its_own():
    labels = two_tubes()
    sizes = artery_sizes(labels, TERRITORIES, SPACING_MM)
    assert list(sizes) == [4, 5]
    left, right = sizes[4], sizes[5]
    assert left.volume_mm3 == np.count_nonzero(labels == 4) / 8
    assert left.length_mm == pytest.approx(20, rel=0.05)
    assert left.median_radius_mm == pytest.approx(1.5, abs=0.1)
    assert (left.pieces, right.pieces) == (1, 2)
    assert right.volume_mm3 == left.volume_mm3 / 2


def test_values_of_no_artery_are_left_out():
    labels = two_tubes()
    labels[0, 0, 0] = 77
    assert list(artery_sizes(labels, TERRITORIES, SPACING_MM)) == [4, 5]
    assert artery_sizes(np.zeros_like(labels), TERRITORIES, SPACING_MM) == {}


def test_it_can_be_cancelled():
    class Cancelling:
        cancelled = True

        def report(self, done: int, total: int, message: str = "") -> None:
            assert total == 2

    with pytest.raises(Cancelled):
        artery_sizes(two_tubes(), TERRITORIES, SPACING_MM, Cancelling())
