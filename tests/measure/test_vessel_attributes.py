"""The measurements that readers of images compare."""

import numpy as np
import pytest

from cowgan.measure import measure
from cowgan.measure.vessel_attributes import VESSEL_ATTRIBUTES, Attribute, measure_vessels
from cowgan.volume import Volume, default_affine

SPACING = (0.62, 0.62, 0.62)


def tube(radius_mm: float, bright: float = 0.9) -> Volume:
    """Return a volume of tissue with a straight vessel along y."""
    z, x, _ = np.indices((24, 40, 60)) * SPACING[0]
    wall = np.hypot(z - z.mean(), x - x.mean())
    vessel = np.clip((radius_mm - wall) / SPACING[0] + 0.5, 0, 1)
    noise = np.random.default_rng(0).standard_normal(vessel.shape)
    data = 0.3 + (bright - 0.3) * vessel + 0.01 * noise
    return Volume(data.astype(np.float32), default_affine(data.shape, SPACING))


def test_values_are_those_of_a_known_tube():
    values = measure_vessels(tube(1.5)).values
    assert values["diameter_mm"] == pytest.approx(3.0, abs=0.25)
    assert values["length_mm"] == pytest.approx(60 * 0.62, rel=0.05)
    assert values["volume_mm3"] == pytest.approx(np.pi * 1.5**2 * 60 * 0.62, rel=0.15)
    assert (values["pieces"], values["loops"]) == (1, 0)
    assert values["contrast_percent"] == pytest.approx(200, rel=0.15)


def test_values_agree_with_the_full_measurement():
    volume = tube(1.2)
    found, values = measure(volume), measure_vessels(volume).values
    assert values["volume_mm3"] == found.volume_mm3
    assert values["diameter_mm"] == 2 * found.radius.median_mm
    assert set(values) == {attribute.key for attribute in VESSEL_ATTRIBUTES}
    assert {type(value) for value in values.values()} == {float}


def test_without_vessels_there_is_no_diameter():
    noise = np.random.default_rng(0).random((16, 32, 32)).astype(np.float32)
    volume = Volume(noise, default_affine(noise.shape, SPACING))
    values = measure_vessels(volume).values
    assert values["volume_mm3"] == 0
    assert np.isnan(values["diameter_mm"])


def test_values_are_shown_with_their_unit_and_changes_with_their_sign():
    diameter = Attribute("d", "Diameter", "mm", 2)
    assert diameter.text(2.634) == "2.63 mm"
    assert diameter.change(2.0, 2.3) == "+0.30"
    assert diameter.change(2.0, 1.999) == "0"


def test_presence_is_shown_in_words():
    there = Attribute("p", "Left PCom", presence=True)
    assert (there.text(1.0), there.text(0.0)) == ("present", "absent")
    assert there.change(0.0, 1.0) == "was absent"
