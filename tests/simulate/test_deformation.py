"""Tests of deformation: small, invertible, and the same for arteries and their labels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from cowgan.anatomy.arteries import Artery
from cowgan.errors import CowganError
from cowgan.simulate import Anatomy, make_anatomy
from cowgan.simulate.deformation import Deformation, DeformationLimits

SHAPE = (32, 128, 128)
ALL_NEIGHBOURS = np.ones((3, 3, 3))
NOTHING = DeformationLimits(0, 0, 0, 0, 0)


@pytest.fixture(scope="module")
def phantom() -> Anatomy:
    return make_anatomy(3, "complete")


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return 2 * (one & other).sum() / (one.sum() + other.sum())


@settings(deadline=None, max_examples=12)
@given(st.integers(0, 2**53))
def test_no_artery_is_torn(seed):
    """A thin winding artery stays in one piece, and its size stays about the same."""
    turns = np.linspace(0, 3 * np.pi, 4000)
    line = [16 + 9 * np.cos(turns), np.linspace(20, 108, 4000), 64 + 30 * np.sin(turns)]
    inside = np.zeros(SHAPE, np.float32)
    inside[tuple(np.rint(line).astype(int))] = 1
    occupancy = np.clip(ndimage.gaussian_filter(inside, 0.8) * 5, 0, 1)
    deformation = Deformation.draw(SHAPE, seed)
    deformed = deformation.apply(occupancy)
    _, pieces = ndimage.label(deformed > 0.3, ALL_NEIGHBOURS)
    assert pieces == 1
    assert deformed.min() >= 0
    assert deformed.max() <= 1
    assert deformed.sum() == pytest.approx(occupancy.sum(), rel=0.4)
    assert deformation.record["seed"] == seed


def test_a_deformation_is_small_and_keeps_sides(phantom):
    kept = []
    for seed in range(8):
        deformation = Deformation.draw(SHAPE, seed)
        record = deformation.record
        assert np.abs(record["shift_mm"]).max() <= 1.5
        assert np.abs(record["rotation_deg"][0]) <= 6
        assert np.abs(record["rotation_deg"][1:]).max() <= 3
        assert record["bending_mm"] <= 1.05
        deformed = deformation.apply(phantom.occupancy)
        assert deformed[0].sum() > 0, "arteries still enter through the lowest slice"
        kept.append(dice(deformed > 0.5, phantom.occupancy > 0.5))
        assert kept[-1] > dice(deformed[:, ::-1] > 0.5, phantom.occupancy > 0.5)
    assert len(set(kept)) == 8
    assert max(kept) < 0.9


def test_a_seed_gives_the_same_deformation_in_every_release():
    source = Deformation.draw(SHAPE, 0).source
    np.testing.assert_allclose(source[:, 20, 30, 90], (22.3672, 31.2910, 87.8112), atol=1e-3)


def test_limits_of_zero_deform_nothing(phantom):
    deformation = Deformation.draw(SHAPE, 1, NOTHING)
    np.testing.assert_allclose(
        deformation.apply(phantom.occupancy), phantom.occupancy, rtol=0, atol=1e-4
    )
    np.testing.assert_array_equal(
        deformation.apply_to_labels(phantom.labels, phantom.occupancy), phantom.labels
    )


def test_negative_limits_are_refused(single_sentence):
    with pytest.raises(CowganError) as refusal:
        DeformationLimits(bending_mm=-1)
    single_sentence(refusal)


def test_space_never_folds():
    """The order of coordinates is kept: the map's determinant is positive."""
    limits = DeformationLimits(bending_mm=4, bending_scale_mm=8)
    for seed in range(4):
        source = Deformation.draw(SHAPE, seed, limits).source
        # Away from the lowest and highest slices, which are continued.
        gradient = np.stack([np.stack(np.gradient(axis[6:-6])) for axis in source])
        determinant = np.linalg.det(gradient.transpose(2, 3, 4, 0, 1))
        assert determinant.min() > 0


@pytest.mark.parametrize("seed", range(3))
def test_labels_lie_on_the_deformed_arteries(phantom, seed):
    deformation = Deformation.draw(SHAPE, seed)
    occupancy = deformation.apply(phantom.occupancy)
    labels = deformation.apply_to_labels(phantom.labels, phantom.occupancy)
    assert labels.dtype == np.uint8
    assert dice(labels > 0, occupancy > 0.5) > 0.96
    assert dice(phantom.labels > 0, occupancy > 0.5) < 0.8, "the deformation can be seen"


@pytest.mark.parametrize("seed", range(3))
def test_every_label_keeps_its_volume_and_place(phantom, seed):
    """Each label is compared with its own mask, deformed like an artery."""
    deformation = Deformation.draw(SHAPE, seed)
    labels = deformation.apply_to_labels(phantom.labels, phantom.occupancy)
    present = np.unique(phantom.labels)
    np.testing.assert_array_equal(np.unique(labels), present)
    for value in present[1:]:
        alone = deformation.apply((phantom.labels == value).astype(np.float32))
        own = labels == value
        assert own.sum() == pytest.approx(alone.sum(), abs=0.51)
        assert (alone[own] > 0).mean() > 0.9, "no label lies where its mask is not"
        if own.sum() > 200:
            assert dice(own, alone > 0.5) > 0.88


def test_labels_keep_their_sides(phantom):
    for seed in range(3):
        labels = Deformation.draw(SHAPE, seed).apply_to_labels(phantom.labels, phantom.occupancy)
        right, left = (
            np.argwhere(labels == artery)[:, 1].mean() for artery in (Artery.R_MCA, Artery.L_MCA)
        )
        assert right < 64 < left


def test_labels_continue_below_the_anatomy():
    """An artery that leaves through the lowest slice is continued, and so is its label."""
    occupancy = np.zeros((16, 32, 32), np.float32)
    occupancy[:, 12:18, 12:18] = 1
    upwards = np.indices(occupancy.shape).astype(float) - np.array([4, 0, 0])[:, None, None, None]
    upwards[0] = np.clip(upwards[0], 0, 15)
    labels = np.where(occupancy > 0, 4, 0).astype(np.uint8)
    labels[10:] *= 2
    moved = Deformation(upwards, {}).apply_to_labels(labels, occupancy)
    assert (moved[:14, 12:18, 12:18] == 4).all()
    assert (moved[14:, 12:18, 12:18] == 8).all()


def test_labels_that_disagree_with_the_arteries_stay_labels(phantom):
    """Label maps of scans are up to a voxel beside the occupancy, which decides nothing alone."""
    beside = np.roll(phantom.labels, 1, axis=2)
    labels = Deformation.draw(SHAPE, 1, NOTHING).apply_to_labels(beside, phantom.occupancy)
    np.testing.assert_array_equal(labels, beside)


def test_an_empty_label_map_stays_empty(phantom):
    empty = np.zeros(SHAPE, np.uint8)
    assert not Deformation.draw(SHAPE, 1).apply_to_labels(empty, phantom.occupancy).any()
