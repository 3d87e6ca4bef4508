"""Tests of average Hausdorff distances, against all distances between all voxels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cowgan.segmentation.average_distances import average_hausdorff

MASKS = arrays(np.bool_, (3, 4, 5), elements=st.booleans())


def directed_sum(mask, other):
    """Return the sum over the voxels of a mask of the distance to the nearest of the other."""
    return sum(
        min(sum((a - b) ** 2 for a, b in zip(here, there, strict=True)) ** 0.5 for there in other)
        for here in mask
    )


@given(MASKS, MASKS)
@settings(deadline=None)
def test_distances_are_those_of_all_pairs_of_voxels(predicted, truth):
    found = average_hausdorff(predicted, truth)
    there, true = (list(zip(*np.nonzero(mask), strict=True)) for mask in (predicted, truth))
    if not there or not true:
        assert found is None
        return
    beyond, missed = directed_sum(there, true), directed_sum(true, there)
    assert found.plain == pytest.approx((beyond / len(there) + missed / len(true)) / 2)
    assert found.balanced == pytest.approx((beyond / len(true) + missed / len(true)) / 2)


def test_only_the_plain_distance_favours_a_prediction_that_adds_voxels():
    truth = np.zeros((1, 1, 40), bool)
    truth[..., 10:12] = True
    stray = truth.copy()
    stray[..., 20] = True
    wide = stray.copy()
    wide[..., 9:13] = True
    assert average_hausdorff(wide, truth).plain < average_hausdorff(stray, truth).plain
    assert average_hausdorff(wide, truth).balanced > average_hausdorff(stray, truth).balanced
