"""Tests of what must agree before anatomy is compared."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from cowgan.errors import CowganError
from cowgan.evaluation.appearance import (
    FREQUENCIES,
    Appearance,
    differences_in_appearance,
    grid_of,
    histogram_of,
    require_one_grid,
    spectrum_of,
)
from cowgan.features.store import FeatureBank
from cowgan.volume import Volume, default_affine

SHAPE, SPACING_MM = (8, 32, 32), (0.8, 0.6, 0.6)


def noise(seed, shape=SHAPE):
    return np.random.default_rng(seed).random(shape, np.float32) ** 2


def described(arrays, title="set", spacing_mm=SPACING_MM):
    volumes = [Volume(one, default_affine(one.shape, spacing_mm)) for one in arrays]
    names = [f"{title} {i}" for i in range(len(volumes))]
    features = np.stack([Appearance()(volume) for volume in volumes])
    return FeatureBank(Appearance.recipe, title, names, names, features)


def test_sets_of_one_distribution_do_not_differ():
    one, other = (described([noise(seed + i) for i in range(8)]) for seed in (0, 100))
    assert differences_in_appearance(one, other) == []


def test_a_blurred_set_is_called_smoother():
    sharp = described([noise(i) for i in range(4)])
    blurred = described([gaussian_filter(noise(i), (0, 1, 1)) for i in range(4)])
    (sentence,) = [of for of in differences_in_appearance(sharp, blurred) if "details" in of]
    assert "less power" in sentence
    assert "smoother" in sentence
    (back,) = [of for of in differences_in_appearance(blurred, sharp) if "details" in of]
    assert "noisier or sharper" in back


def test_another_range_of_intensities_is_named():
    one = described([noise(i) for i in range(4)])
    other = described([1000 * noise(i + 9) for i in range(4)])
    (sentence,) = differences_in_appearance(one, other)
    assert "range" in sentence


def test_a_pattern_has_its_power_at_its_frequency():
    wave = np.cos(2 * np.pi * 0.25 * np.arange(32))
    bank = described([np.broadcast_to(wave, SHAPE).astype(np.float32)])
    (spectrum,) = spectrum_of(bank)
    assert spectrum.argmax() == FREQUENCIES // 2
    assert np.partition(spectrum, -2)[-2] < spectrum.max() - 6


def test_the_histogram_holds_shares_of_voxels():
    bank = described([noise(i) for i in range(3)])
    np.testing.assert_allclose(histogram_of(bank).sum(1), 1, atol=1e-5)


def test_the_grid_is_that_of_the_volumes():
    shape, spacing_mm = grid_of(described([noise(0)]))
    assert shape == SHAPE
    assert spacing_mm == pytest.approx(SPACING_MM)


def test_volumes_of_different_shape_are_refused_by_name():
    with pytest.raises(CowganError, match="set 1 has another shape"):
        grid_of(described([noise(0), noise(1, (8, 32, 16))]))


@pytest.mark.parametrize(
    ("shape", "spacing_mm"), [((8, 16, 16), SPACING_MM), (SHAPE, (0.8, 0.5, 0.5))]
)
def test_sets_of_different_grids_are_refused(shape, spacing_mm):
    banks = [described([noise(0)]), described([noise(1, shape)], "other", spacing_mm)]
    with pytest.raises(CowganError, match="cowgan preprocess"):
        require_one_grid(banks)
