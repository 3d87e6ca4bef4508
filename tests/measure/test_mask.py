"""Tests of vessel segmentation on images with known vessels, without the simulator."""

import analytic_shapes as shapes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter, zoom

from cowgan.errors import CowganError
from cowgan.measure import find_vessels, measure, vessel_mask
from cowgan.volume import DEFAULT_SPACING_MM, Volume, default_affine

METHODS = ("hysteresis", "frangi", "sato")


def as_volume(data, spacing_mm=DEFAULT_SPACING_MM) -> Volume:
    return Volume(data, default_affine(data.shape, spacing_mm))


def dice(a, b) -> float:
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def picture(truth, spacing_mm=DEFAULT_SPACING_MM, vessel=700.0, seed=0):
    """Return a TOF-like image: dark textured tissue, blurred vessels, a coil, noise."""
    random = np.random.default_rng(seed)
    texture = gaussian_filter(random.normal(size=truth.shape), 1.5)
    tissue = 100 + 30 * texture / texture.std()
    occupancy = gaussian_filter(truth.astype(float), 0.3 / np.array(spacing_mm))
    coil = 1 + 0.2 * np.linspace(-1, 1, truth.shape[1])[:, None]
    noise = random.normal(size=(2, *truth.shape)) * 9
    clean = (tissue + occupancy * (vessel - tissue)) * coil
    return np.hypot(clean + noise[0], noise[1]).astype(np.float32)


@pytest.fixture(scope="module")
def circle():
    """Return a ring with an arm, of 1.2 and 0.8 mm radius, in a larger volume."""
    arm = shapes.line(14)[:, [1, 0, 2]] + [0, 10, 0]
    mask = shapes.tree([(shapes.circle(10), 1.2), (arm, 0.8)], seed=2)
    return np.pad(mask, 6)


@pytest.mark.parametrize("method", METHODS)
def test_vessels_are_found_with_their_volume_and_loop(circle, method):
    volume = as_volume(picture(circle))
    found = vessel_mask(volume, method)
    assert found.dtype == bool
    assert dice(found, circle) > 0.9
    measured = measure(volume, method)
    assert measured.volume_mm3 == pytest.approx(circle.sum() * np.prod(volume.spacing_mm), rel=0.1)
    assert (measured.components, measured.loops) == (1, 1)
    assert measured.method == method


@pytest.mark.parametrize("brightness", [350, 700, 2000])
def test_bright_vessels_do_not_grow_and_faint_ones_do_not_shrink(circle, brightness):
    found = vessel_mask(as_volume(picture(circle, vessel=brightness)))
    assert found.sum() / circle.sum() == pytest.approx(1, abs=0.12)


def test_anisotropic_voxels_are_no_obstacle(circle):
    spacing = np.array([0.8, 0.469, 0.469])
    fine = zoom(circle.astype(np.float32), DEFAULT_SPACING_MM / spacing, order=1) > 0.5
    for method in METHODS:
        volume = as_volume(picture(fine, spacing), tuple(spacing))
        assert dice(vessel_mask(volume, method), fine) > 0.88


@settings(deadline=None, max_examples=15)
@given(st.floats(1e-3, 1e4), st.floats(-5, 5))
def test_the_intensity_scale_does_not_matter(scale, offset):
    truth = np.pad(shapes.tube(shapes.line(15), 1.5, seed=1).mask, 6)
    image = picture(truth)
    one = find_vessels(as_volume(image))
    other = find_vessels(as_volume(scale * (image + offset * 100)))
    # Float32 rounding may move single voxels that lie on a threshold.
    assert (one.mask ^ other.mask).sum() <= 2
    for name, value in one.thresholds.items():
        expected = scale * (value + offset * 100)
        assert other.thresholds[name] == pytest.approx(expected, rel=1e-3, abs=scale)


def test_the_thresholds_bound_the_mask(circle):
    image = picture(circle)
    vessels = find_vessels(as_volume(image))
    assert vessels.thresholds["tissue"] == pytest.approx(100, rel=0.1)
    assert image[vessels.mask].min() > vessels.thresholds["low"]
    assert image[vessels.mask].max() > vessels.thresholds["high"] > vessels.thresholds["low"]


@pytest.mark.parametrize("smooth", [0, 1, 2])
@pytest.mark.parametrize("distribution", ["normal", "rayleigh", "uniform"])
def test_noise_shows_no_vessels(distribution, smooth):
    random = np.random.default_rng(smooth)
    noise = getattr(random, distribution)(size=(32, 128, 128)).astype(np.float32)
    assert vessel_mask(as_volume(gaussian_filter(noise, smooth))).mean() < 3e-4


def test_a_single_hot_voxel_neither_counts_nor_hides_the_rest(circle):
    image = picture(circle)
    image[1, 1, 1] = 1e6
    found = vessel_mask(as_volume(image))
    assert not found[1, 1, 1]
    assert dice(found, circle) > 0.9


def test_padding_around_a_stripped_brain_is_not_taken_for_tissue(circle):
    padded = np.pad(picture(circle), ((0, 0), (30, 30), (30, 30)))
    truth = np.pad(circle, ((0, 0), (30, 30), (30, 30)))
    assert dice(vessel_mask(as_volume(padded)), truth) > 0.9


def test_air_around_a_head_and_a_bright_scalp_are_left_out():
    spacing = (1.2, 0.9, 0.9)
    z, x, y = np.meshgrid(
        *[(np.arange(n) - n / 2) * s for n, s in zip((40, 220, 220), spacing, strict=True)],
        indexing="ij",
    )
    from_centre = np.sqrt((x / 70) ** 2 + (y / 85) ** 2)
    ring = np.hypot(np.hypot(x, y) - 30, z) < 1.8
    random = np.random.default_rng(0)
    image = np.where(from_centre < 1, 100 + 15 * random.normal(size=x.shape), 0)
    image[(from_centre > 0.93) & (from_centre < 1)] = 550
    image[ring] = 600
    image = np.hypot(image + 4 * random.normal(size=x.shape), 4 * random.normal(size=x.shape))
    found = vessel_mask(as_volume(image.astype(np.float32), spacing))
    assert dice(found, ring) > 0.9


def test_two_tissues_are_not_a_head_in_air(circle):
    image = picture(circle)
    dark = ~circle
    dark[:, circle.shape[1] // 2 :] = False
    image[dark] *= 0.3
    assert dice(vessel_mask(as_volume(image)), circle) > 0.85


def test_fat_behind_the_eyes_is_left_out(circle):
    image = picture(circle)
    image[:, -16:, -16:] += 250
    found = vessel_mask(as_volume(image))
    assert dice(found, circle) > 0.88


def test_a_binary_image_is_its_own_mask(circle):
    found = vessel_mask(as_volume(circle.astype(np.float32)))
    assert dice(found, circle) > 0.95


@pytest.mark.parametrize("value", [0, 0.3])
def test_an_image_without_contrast_is_refused_in_one_sentence(value):
    with pytest.raises(CowganError, match="All voxels have the same intensity"):
        vessel_mask(as_volume(np.full((4, 5, 6), value, np.float32)))


def test_an_unknown_method_is_refused_in_one_sentence(circle):
    with pytest.raises(CowganError, match="choose one of hysteresis, frangi, sato"):
        vessel_mask(as_volume(picture(circle)), "jerman")


def test_a_very_small_volume_does_not_fail():
    image = np.zeros((2, 2, 2), np.float32)
    image[0, 0, 0] = 1
    for method in METHODS:
        assert not vessel_mask(as_volume(image), method).any()
