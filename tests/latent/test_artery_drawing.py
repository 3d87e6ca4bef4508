"""Arteries drawn wider, narrower, new or not at all into a volume."""

import numpy as np
import pytest

from cowgan.latent.artery_drawing import draw_between, draw_width, draw_without
from cowgan.latent.artery_steering import FoundArtery, find_communicating
from cowgan.measure.communicating_courses import BodySide, gap_between
from cowgan.volume import Volume, default_affine

SPACING = (0.6, 0.6, 0.6)
find = find_communicating(BodySide.LEFT)


def volume(pcom_mm: float) -> Volume:
    """Return arteries in front and behind, joined on the left unless the diameter is 0."""
    z, x, y = np.indices((24, 64, 64)) * 0.6
    walls = [np.hypot(z - 7.2, y - 0.6 * line) - 1.5 for line in (15, 48)]
    if pcom_mm:
        # Oblique, so that its voxels are no multiple of a row.
        across = np.hypot(z - 7.2, x - 28 - 0.2 * (y - 10)) - pcom_mm / 2
        walls.append(np.where((y > 9) & (y < 29), across, 9.0))
    occupied = np.clip(0.5 - np.min(walls, axis=0) / 0.6, 0, 1)
    noise = np.random.default_rng(0).standard_normal(z.shape)
    data = (0.2 + 0.6 * occupied + 0.01 * noise).clip(0, 1).astype(np.float32)
    return Volume(data, default_affine(data.shape, SPACING))


def found(pcom_mm: float) -> tuple[Volume, FoundArtery]:
    tof = volume(pcom_mm)
    return tof, find(tof)


@pytest.mark.parametrize("change_mm", [0.5, -0.6])
def test_an_artery_is_measured_as_wide_as_it_is_drawn(change_mm):
    tof, artery = found(2.4)
    wanted = artery.diameter_mm + change_mm
    drawing = draw_width(tof, artery.vessels, artery.course, wanted)
    assert find(drawing.volume).diameter_mm == pytest.approx(wanted, abs=0.25)
    np.testing.assert_array_equal(drawing.volume.data[~drawing.near], tof.data[~drawing.near])
    assert 0 < drawing.near.mean() < 0.1


def test_a_missing_artery_is_drawn_between_those_that_it_joins():
    tof, artery = found(0)
    assert artery.course is None
    gap = gap_between(artery.vessels.tubes, BodySide.LEFT, tof.shape, SPACING)
    drawing = draw_between(tof, artery.vessels, gap, 1.8)
    assert find(drawing.volume).diameter_mm == pytest.approx(1.8, abs=0.35)
    assert find_communicating(BodySide.RIGHT)(drawing.volume).course is None


def test_an_artery_is_removed():
    tof, artery = found(2.0)
    drawing = draw_without(tof, artery.vessels, artery.course)
    assert find(drawing.volume).course is None
    np.testing.assert_array_equal(drawing.volume.data[~drawing.near], tof.data[~drawing.near])


def test_without_arteries_there_is_no_gap():
    assert gap_between([], BodySide.LEFT, (24, 64, 64), SPACING) is None
