"""Tests of tortuosity against curves whose values are known in closed form."""

from dataclasses import astuple

import analytic_shapes as shapes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cowgan.measure import measure_mask
from cowgan.measure.branches import Tube
from cowgan.measure.centreline import arc_length
from cowgan.measure.tortuosity import Tortuosity, tortuosity, turning_angles


def helix_turning(radius_mm: float, pitch_mm: float) -> float:
    """Return the angle between successive chords over 1 mm of a helix."""
    rise = pitch_mm / (2 * np.pi)
    turn = 1 / np.hypot(radius_mm, rise)
    across, along = 4 * (radius_mm * np.sin(turn / 2)) ** 2, (rise * turn) ** 2
    return float(np.arccos((across * np.cos(turn) + along) / (across + along)))


def tortuosity_of(curve, radius_mm=1.2, seed=0, spacing_mm=shapes.TEMPLATE) -> Tortuosity:
    shape = shapes.tube(curve, radius_mm, spacing_mm, seed)
    return measure_mask(shape.mask, shape.spacing_mm).tortuosity


@given(st.floats(2, 12), st.floats(2, 30))
def test_the_turning_of_a_helix_is_that_of_the_formula(radius_mm, pitch_mm):
    curve = shapes.helix(radius_mm, pitch_mm, 2)
    np.testing.assert_allclose(turning_angles(curve), helix_turning(radius_mm, pitch_mm), atol=2e-3)


@given(st.floats(2, 40))
def test_a_straight_line_does_not_turn(length_mm):
    assert turning_angles(shapes.line(length_mm)) == pytest.approx(0, abs=1e-6)


def test_neither_direction_along_a_curve_counts_more():
    curve = np.cumsum(np.random.default_rng(0).normal(0.1, 0.2, (99, 3)), axis=0)
    np.testing.assert_allclose(turning_angles(curve), turning_angles(curve[::-1])[::-1])


@pytest.mark.parametrize("radius_mm", [0.7, 1.2, 2.0])
def test_a_helix_of_voxels_winds_as_the_curve_does(radius_mm):
    curve = shapes.helix(4, 12, 2)
    found = [tortuosity_of(curve, radius_mm, seed) for seed in range(4)]
    path_to_chord = np.hypot(2 * np.pi * 4, 12) / 12
    assert np.mean([one.distance_metric for one in found]) == pytest.approx(path_to_chord, rel=0.06)
    turning = np.mean([one.turning_rad_per_mm for one in found])
    assert turning == pytest.approx(helix_turning(4, 12), rel=0.06)


@pytest.mark.parametrize("radius_mm", [0.7, 1.2, 2.0])
def test_a_straight_tube_of_voxels_is_nearly_straight(radius_mm):
    found = [tortuosity_of(shapes.line(20), radius_mm, seed) for seed in range(4)]
    assert [one.vessels for one in found] == [1] * 4
    assert all(1 <= one.distance_metric < 1.02 for one in found)
    assert np.mean([one.turning_rad_per_mm for one in found]) < 0.1
    assert np.mean([one.mean_length_mm for one in found]) == pytest.approx(20, abs=0.7)


def traced(curve: np.ndarray, nodes: tuple[int, int] = (0, 1)) -> Tube:
    length = np.diff(arc_length(curve))
    return Tube(nodes, (1.0, 1.0), curve, length, np.ones(len(length)))


@given(st.integers(0, 2**32 - 1), st.floats(0.5, 2), st.booleans(), st.booleans())
def test_pose_mirror_image_and_direction_do_not_matter(seed, turns, mirrored, backwards):
    curve = shapes.helix(5, 9, turns)
    moved = curve @ shapes.rotation(np.random.default_rng(seed)) + 5
    moved = moved * [-1, 1, 1] if mirrored else moved
    one, other = tortuosity([traced(curve)]), tortuosity([traced(moved[:: -1 if backwards else 1])])
    np.testing.assert_allclose(astuple(other), astuple(one), rtol=1e-6)


@settings(deadline=None, max_examples=8)
@given(st.integers(0, 2), st.permutations(range(3)))
def test_thinning_changes_a_turned_or_mirrored_mask_little(flipped, axes):
    shape = shapes.tube(shapes.helix(4, 12, 2), 1.2, (0.6, 0.6, 0.6), seed=1)
    turned = np.flip(shape.mask, flipped).transpose(axes)
    one, other = (measure_mask(mask, shape.spacing_mm).tortuosity for mask in (shape.mask, turned))
    assert other.distance_metric == pytest.approx(one.distance_metric, rel=0.05)
    assert other.turning_rad_per_mm == pytest.approx(one.turning_rad_per_mm, abs=0.02)


def test_the_distance_metric_does_not_depend_on_scale():
    shape = shapes.tube(shapes.helix(5, 9, 0.6), 1.2, seed=1)
    one, two = (
        measure_mask(shape.mask, tuple(factor * size for size in shape.spacing_mm)).tortuosity
        for factor in (1, 2)
    )
    assert two.distance_metric == pytest.approx(one.distance_metric, rel=0.01)
    assert two.mean_length_mm == pytest.approx(2 * one.mean_length_mm, rel=5e-3)


def test_long_vessels_weigh_more_and_the_median_is_that_of_most_length():
    straight, wound = shapes.line(30), shapes.helix(4, 12, 1)
    masks = [shapes.tube(curve, 1.2, seed=2).mask for curve in (straight, wound[:180])]
    size = np.max([mask.shape for mask in masks], axis=0)
    both = np.concatenate(
        [
            np.pad(mask, [(1, n - m) for n, m in zip(size, mask.shape, strict=True)])
            for mask in masks
        ]
    )
    found = measure_mask(both, shapes.TEMPLATE).tortuosity
    alone = [measure_mask(mask, shapes.TEMPLATE).tortuosity for mask in masks]
    assert found.vessels == 2
    assert found.median_distance_metric == pytest.approx(alone[0].distance_metric, abs=0.01)
    lengths = [one.mean_length_mm for one in alone]
    mean = np.average([one.distance_metric for one in alone], weights=lengths)
    assert found.distance_metric == pytest.approx(mean, rel=0.02)


@pytest.mark.parametrize("curve", [shapes.circle(8), shapes.line(5)])
def test_closed_and_short_vessels_are_left_out(curve):
    assert tortuosity_of(curve) == Tortuosity()
