"""Plans of drags come back whole from sessions, and damaged ones are refused."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from cowgan.errors import CowganError
from cowgan.latent.drag_plan import DragPlan, VoxelRuns
from cowgan.latent.dragging import Pull

PLAN = DragPlan((Pull((1, 2, 3), (1, 2, 4.5)),), VoxelRuns((2, 4, 6), (10, 3, 35)))


@given(arrays(np.bool_, array_shapes(min_dims=3, max_dims=3)))
def test_masks_come_back_from_their_runs(mask):
    runs = VoxelRuns.of(mask)
    np.testing.assert_array_equal(runs.mask(), mask)
    assert runs.count == mask.sum()
    assert VoxelRuns.of(runs.mask()) == runs


@given(st.integers(0, 40), st.integers(1, 8))
def test_the_same_voxels_have_the_same_runs(start, length):
    mask = np.zeros((2, 4, 6), np.bool_)
    mask.ravel()[start : start + length] = True
    assert len(VoxelRuns.of(mask).runs) <= 3


def test_a_plan_comes_back_from_json():
    assert DragPlan.from_dict(json.loads(json.dumps(PLAN.to_dict()))) == PLAN


def test_a_plan_fits_volumes_that_hold_all_of_it():
    assert PLAN.fits((2, 4, 6))
    assert not PLAN.fits((2, 4, 7)), "the mask is of another shape"
    assert DragPlan(PLAN.pulls).fits((2, 4, 7))
    assert not DragPlan(PLAN.pulls).fits((2, 4, 4)), "the target lies outside"
    assert DragPlan().fits((1, 1, 1))


@pytest.mark.parametrize(
    "damage",
    [
        {"fixed": {"shape": [2, 4, 6], "runs": [10, 3, 34]}},
        {"fixed": {"shape": [2, 4, 6], "runs": [-10, 58]}},
        {"fixed": {"shape": [0, 4, 6], "runs": []}},
        {"pulls": [{"handle": [1, 2, 3]}]},
        {"pulls": [{"handle": [1, 2, 3], "target": [1, 2, float("nan")]}]},
        {"more": 1},
    ],
)
def test_damaged_plans_are_refused_in_one_sentence(damage, single_sentence):
    with pytest.raises(CowganError) as refusal:
        DragPlan.from_dict(PLAN.to_dict() | damage)
    single_sentence(refusal)
