"""The posterior communicating arteries, followed along centrelines."""

import numpy as np
import pytest

from cowgan.anatomy.arteries import Artery
from cowgan.measure.branches import find_tubes
from cowgan.measure.communicating_courses import BodySide, communicating_courses
from cowgan.measure.vessel_attributes import measure_vessels
from cowgan.simulate import make_anatomy, simulate_tof

SPACING = (0.6, 0.6, 0.6)


def circulations() -> np.ndarray:
    """Return arteries in front and behind, across both sides, of 2.9 mm in diameter."""
    mask = np.zeros((16, 64, 64), bool)
    z, _, y = np.indices(mask.shape)
    for line in (15, 48):
        mask |= np.hypot(z - 8, y - line) <= 2.4
    return mask


def joined(mask: np.ndarray, at: int, radius: float) -> np.ndarray:
    z, x, y = np.indices(mask.shape)
    return mask | ((np.hypot(z - 8, x - at) <= radius) & (y > 14) & (y < 49))


def courses(mask: np.ndarray):
    return communicating_courses(find_tubes(mask, SPACING), mask.shape, SPACING)


def test_the_sides_that_are_joined_have_an_artery_of_the_width_it_was_drawn_with():
    mask = circulations()
    assert not courses(mask)
    left = joined(mask, 50, 1.5)
    assert set(courses(left)) == {BodySide.LEFT}
    both = courses(joined(left, 14, 2.0))
    assert both[BodySide.LEFT].diameter_mm == pytest.approx(1.8, abs=0.25)
    assert both[BodySide.RIGHT].diameter_mm == pytest.approx(2.4, abs=0.2)


def test_a_contact_in_the_middle_and_a_long_way_round_are_no_communicating_artery():
    assert not courses(joined(circulations(), 32, 1.5))
    assert not communicating_courses([], (16, 64, 64), SPACING)


def test_pcoms_of_phantoms_have_the_side_and_about_the_width_of_the_truth():
    anatomy = make_anatomy(5000, "complete")
    tof = simulate_tof(anatomy.occupancy, seed=5000)
    values = measure_vessels(tof).values
    for name, artery in (("l", Artery.L_PCOM), ("r", Artery.R_PCOM)):
        truth = anatomy.truth.arteries[artery]
        assert values[f"{name}_pcom_present"]
        assert values[f"{name}_pcom_diameter_mm"] == pytest.approx(2 * truth.radius_mm, abs=0.4)
