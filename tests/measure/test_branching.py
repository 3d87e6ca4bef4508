"""Tests of branch points on forks of known angle and radii."""

from dataclasses import astuple

import analytic_shapes as shapes
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cowgan.measure import measure_mask
from cowgan.measure.branches import Tube
from cowgan.measure.branching import Branching, branching


def fork(angle_deg: float, radii_mm, seed: int, arm_mm: float = 14) -> np.ndarray:
    """Return a parent vessel and two others that leave it at an angle between them."""
    half = np.radians(angle_deg / 2)
    along = shapes.line(arm_mm)[:, :1]
    arms = [along * [[np.cos(half), side * np.sin(half), 0]] for side in (1, -1)]
    return shapes.tree(list(zip([-shapes.line(14), *arms], radii_mm, strict=True)), seed=seed)


def branching_of(mask: np.ndarray) -> Branching:
    return measure_mask(mask, shapes.TEMPLATE).branching


@pytest.mark.parametrize("angle_deg", [60, 90, 120])
@pytest.mark.parametrize("radii_mm", [(1.6, 1.2, 1.2), (1.6, 1.4, 1.0)])
def test_the_angle_and_radii_of_a_fork_are_found(angle_deg, radii_mm):
    found = [branching_of(fork(angle_deg, radii_mm, seed)) for seed in range(8)]
    assert [one.points for one in found] == [1] * 8
    assert np.mean([one.angle_deg for one in found]) == pytest.approx(angle_deg, abs=6)
    parent, *others = np.power(radii_mm, 3)
    ratio = np.mean([one.murray_ratio for one in found])
    assert ratio == pytest.approx(parent / sum(others), rel=0.08)


@settings(deadline=None, max_examples=10)
@given(st.integers(0, 99), st.integers(0, 2))
def test_a_mirrored_fork_is_the_same(seed, axis):
    mask = fork(90, (1.6, 1.2, 1.2), seed)
    one, other = branching_of(mask), branching_of(np.flip(mask, axis))
    assert one.points == other.points == 1
    # Thinning is not the same in a mirror, and may leave an arm too short to have a direction.
    assume(one.angle_deg > 0 and other.angle_deg > 0)
    assert other.angle_deg == pytest.approx(one.angle_deg, abs=12)


def test_a_fork_with_a_short_arm_is_a_branch_point_without_an_angle():
    mask = fork(90, (1.2, 0.9, 0.9), 1, arm_mm=3.0)
    assert branching_of(mask) == Branching(points=1)


def traced(*directions, radius_mm: float = 1.0, length_mm: float = 8.0) -> list[Tube]:
    """Return straight vessels that leave one node, each thinner than the one before."""
    tubes = []
    for number, direction in enumerate(directions):
        curve = np.outer(np.linspace(0, length_mm, 81), direction)
        radius = np.full(80, radius_mm * 0.8**number)
        nodes = (0, number + 1)
        if number % 2:
            nodes, curve = nodes[::-1], curve[::-1]
        tubes.append(Tube(nodes, (1.0, 1.0), curve, np.full(80, length_mm / 80), radius))
    return tubes


@given(st.integers(0, 2**32 - 1), st.floats(5, 175), st.booleans())
def test_the_angle_of_the_two_thinner_is_exact_in_any_pose(seed, angle_deg, mirrored):
    angle = np.radians(angle_deg)
    arms = np.array([[-1, 0, 0], [0, 1, 0], [0, np.cos(angle), np.sin(angle)]])
    arms = arms @ shapes.rotation(np.random.default_rng(seed))
    found = branching(traced(*(-arms if mirrored else arms)))
    ratio = 1 / (0.8**3 + 0.64**3)
    np.testing.assert_allclose(astuple(found), (1, angle_deg, ratio), rtol=1e-6)


def test_only_three_vessels_of_four_millimetres_have_an_angle():
    arms = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0]])
    assert branching(traced(*arms)) == Branching(points=1)
    assert branching(traced(*arms[:3], length_mm=3.9)) == Branching(points=1)
    assert branching(traced(*arms[:2])) == Branching()


def test_a_plain_tube_does_not_branch():
    assert branching_of(shapes.tube(shapes.line(20), 1.2, seed=1).mask) == Branching()
    assert branching_of(shapes.tube(shapes.circle(8), 1.2, seed=1).mask) == Branching()
