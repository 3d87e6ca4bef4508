import json
from dataclasses import FrozenInstanceError

import analytic_shapes as shapes
import numpy as np
import pytest

from cowgan.anatomy.arteries import Artery
from cowgan.errors import CowganError
from cowgan.measure import measure, measure_labels, measure_mask
from cowgan.volume import Volume, default_affine


@pytest.fixture(scope="module")
def torus() -> shapes.Shape:
    return shapes.tube(shapes.circle(8), 1.5, seed=1)


def test_a_mask_is_counted_and_measured(torus):
    measured = measure_mask(torus.mask, torus.spacing_mm)
    assert measured.voxels == torus.mask.sum()
    assert measured.volume_mm3 == pytest.approx(measured.voxels * np.prod(torus.spacing_mm))
    assert measured.spacing_mm == torus.spacing_mm
    assert (measured.method, measured.thresholds) == (None, {})


def test_radii_are_weighted_by_length(torus):
    radius = measure_mask(torus.mask, torus.spacing_mm).radius
    percentiles = list(radius.percentiles_mm.values())
    assert percentiles == sorted(percentiles)
    assert radius.median_mm == radius.percentiles_mm[50] == pytest.approx(1.5, abs=0.05)
    assert 0 < radius.sd_mm < 0.1
    assert len(radius.histogram_mm) in (15, 16, 17)
    assert np.argmax(radius.histogram_mm) in (14, 15)


def test_the_histogram_holds_the_whole_length():
    mask = shapes.tree([(shapes.helix(5, 9, 1.2), 1.0), (shapes.line(12), 2.0)], seed=5)
    measured = measure_mask(mask, shapes.TEMPLATE)
    assert sum(measured.radius.histogram_mm) == pytest.approx(measured.length_mm)


def test_a_vessel_that_is_wider_in_one_half_shows_both_widths():
    whole = shapes.line(20)
    mask = shapes.tree([(whole, 0.9), (whole[:200], 1.9)], seed=2)
    radius = measure_mask(mask, shapes.TEMPLATE).radius
    assert radius.percentiles_mm[25] == pytest.approx(0.9, abs=0.1)
    assert radius.percentiles_mm[75] == pytest.approx(1.9, abs=0.1)


def test_scaling_space_scales_the_numbers(torus):
    one, two = (measure_mask(torus.mask, tuple(f * s for s in torus.spacing_mm)) for f in (1, 2))
    assert two.volume_mm3 == pytest.approx(8 * one.volume_mm3)
    assert two.length_mm == pytest.approx(2 * one.length_mm, rel=5e-3)
    assert two.radius.mean_mm == pytest.approx(2 * one.radius.mean_mm, rel=5e-3)
    assert (two.components, two.loops) == (one.components, one.loops)


def test_no_vessel_measures_zero():
    measured = measure_mask(np.zeros((4, 5, 6), bool), (1, 1, 1))
    assert measured.voxels == measured.components == measured.loops == 0
    assert measured.volume_mm3 == measured.length_mm == measured.radius.mean_mm == 0
    assert measured.radius.median_mm == 0
    assert measured.radius.histogram_mm == ()


def test_everything_is_one_blob_and_does_not_fail():
    assert measure_mask(np.ones((6, 7, 8)), (1, 1, 1)).components == 1


def test_measurements_are_json_and_frozen(torus):
    measured = measure_mask(torus.mask, torus.spacing_mm)
    content = json.loads(json.dumps(measured.to_dict()))
    assert content["volume_mm3"] == measured.volume_mm3
    assert content["radius"]["percentiles_mm"]["p50"] == measured.radius.median_mm
    assert content["radius"]["histogram_bin_mm"] == 0.1
    assert content["spacing_mm"] == list(torus.spacing_mm)
    with pytest.raises(FrozenInstanceError):
        measured.voxels = 0


def test_a_volume_is_measured_through_its_mask(torus):
    image = np.pad(torus.mask, 8) * 500 + np.random.default_rng(0).normal(100, 9, 1)
    image = image + np.random.default_rng(1).normal(0, 9, image.shape)
    volume = Volume(image, default_affine(image.shape))
    measured = measure(volume)
    assert measured.method == "hysteresis"
    assert set(measured.thresholds) == {"tissue", "low", "high"}
    assert measured.loops == 1
    assert measured.length_mm == pytest.approx(torus.length_mm, rel=0.02)
    json.dumps(measured.to_dict())


def test_each_artery_of_a_label_map_is_measured_on_its_own():
    line = shapes.tube(shapes.line(15), 1.2, seed=3).mask
    labels = np.concatenate([line * Artery.BA, line[::-1] * Artery.THIRD_A2]).astype(np.uint8)
    measured = measure_labels(labels, shapes.TEMPLATE)
    assert list(measured) == [Artery.BA, Artery.THIRD_A2]
    for one in measured.values():
        assert one.voxels == line.sum()
        assert one.length_mm == pytest.approx(15, abs=1.2)


def test_a_label_map_without_arteries_gives_none():
    assert measure_labels(np.zeros((3, 3, 3), np.uint8), (1, 1, 1)) == {}


@pytest.mark.parametrize("value", [13, 14, 16, 255])
def test_labels_that_are_not_topcows_are_refused_in_one_sentence(value):
    labels = np.full((3, 3, 3), value, np.uint8)
    with pytest.raises(CowganError, match=f"The label {value} is not one of TopCoW"):
        measure_labels(labels, (1, 1, 1))


@pytest.mark.parametrize(
    ("mask", "spacing_mm", "sentence"),
    [
        (np.ones((3, 3)), (1, 1, 1), "3 dimensions, but this one has 2"),
        (np.ones((3, 3, 3)), (1, 1, 0), "not three positive numbers"),
        (np.ones((3, 3, 3)), (1, 1, np.nan), "not three positive numbers"),
        (np.ones((3, 3, 3)), (1, 1), "not three positive numbers"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_sentence(mask, spacing_mm, sentence):
    with pytest.raises(CowganError, match=sentence):
        measure_mask(mask, spacing_mm)
