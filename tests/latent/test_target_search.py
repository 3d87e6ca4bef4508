"""The search for the position at which a value is measured."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cowgan.latent.target_search import LIMIT_SIGMAS, reach


@given(slope=st.floats(0.3, 3), bend=st.floats(0, 0.3), at=st.floats(-3, 3), start=st.floats(-4, 4))
def test_a_value_that_rises_is_found_from_anywhere(slope, bend, at, start):
    def value_at(sigmas: float) -> float:
        return 10 + slope * (sigmas + bend * math.sin(2 * sigmas))

    found = reach(value_at, value_at(at), start, 1.0, 0.1)
    assert found.within
    assert found.value == value_at(found.sigmas) == pytest.approx(value_at(at), abs=0.1)


def test_a_step_between_voxels_is_searched_from_both_sides():
    """A diameter jumps where a voxel joins an artery."""
    found = reach(lambda s: round(2 * s) / 2, 1.0, -2.0, 1.0, 0.3)
    assert found.within
    assert found.value == 1.0


def test_a_value_out_of_reach_is_approached_up_to_the_limit():
    asked = []

    def value_at(sigmas: float) -> float:
        asked.append(sigmas)
        return 0.5 * sigmas

    found = reach(value_at, 5.0, 0.0, 1.0, 0.1)
    assert not found.within
    assert (found.sigmas, found.value) == (LIMIT_SIGMAS, 2.0)
    assert max(map(abs, asked)) <= LIMIT_SIGMAS


def test_the_search_stays_between_where_it_comes_from_and_its_first_guess():
    """On the other side, the value rises as well, in volumes that are less like this one."""
    found = reach(lambda s: 3378 + 150 * s + 300 * s**2, 3648, 1.4, 189, 20, {0.0: 3378})
    assert found.within
    assert 0 < found.sigmas < 1.4


def test_the_search_does_not_end_farther_away_than_it_began():
    found = reach(lambda s: 3378 + 700 * (s != 0), 3648, 1.4, 189, 20, {0.0: 3378})
    assert not found.within
    assert (found.sigmas, found.value) == (0.0, 3378)


def test_a_direction_without_effect_ends_soon():
    asked = []

    def value_at(sigmas: float) -> float:
        asked.append(sigmas)
        return 1.0

    found = reach(value_at, 2.0, 0.0, 1.0, 0.1)
    assert not found.within
    assert len(asked) <= 10


def test_the_search_turns_back_where_an_artery_vanishes():
    found = reach(lambda s: s if s < 1.5 else math.nan, 1.2, 0.0, 0.5, 0.1)
    assert found.within
    assert found.value == pytest.approx(1.2, abs=0.1)


def test_an_artery_that_is_nowhere_is_not_found():
    found = reach(lambda s: math.nan, 1.2, 0.0, 0.5, 0.1)
    assert not found.within
    assert math.isnan(found.value)
