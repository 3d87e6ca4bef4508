"""Single arteries as parts of the centrelines of all vessels."""

import numpy as np
import pytest

from cowgan.measure.artery_courses import artery_courses
from cowgan.measure.branches import find_tubes

SPACING = (0.6, 0.6, 0.6)


def test_labels_part_a_vessel_and_its_wall_tells_the_width():
    z, x, y = np.indices((16, 32, 60))
    wall = np.hypot(z - 8, x - 16)
    vessel = wall <= np.where(y < 30, 3.0, 2.0)
    labels = np.where(wall <= 1.5, np.where(y < 30, 4, 7), 0)
    found = artery_courses(labels, find_tubes(vessel, SPACING), SPACING)
    assert set(found) == {4, 7}
    assert found[4].diameter_mm == pytest.approx(3.6, abs=0.25)
    assert found[7].diameter_mm == pytest.approx(2.4, abs=0.25)
    assert found[4].length_mm.sum() == pytest.approx(18, abs=2)


def test_without_vessels_or_labels_there_is_no_course():
    labels = np.zeros((8, 8, 8), np.uint8)
    assert artery_courses(labels, [], SPACING) == {}
    labels[4, 4, 4] = 1
    assert artery_courses(labels, [], SPACING) == {}
