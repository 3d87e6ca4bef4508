"""Tests of the drawing of patches."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from segmentation_cases import LEFT, RIGHT, tube_cases

from cowgan.anatomy.label_schemes import TERRITORIES
from cowgan.segmentation.labelled_cases import LabelledCase, LabelledCases
from cowgan.segmentation.patches import PatchSampler, crop


@settings(max_examples=60, deadline=None)
@given(
    total=st.tuples(*[st.integers(1, 6)] * 3),
    shape=st.tuples(*[st.integers(1, 8)] * 3),
    corner=st.tuples(*[st.integers(-9, 9)] * 3),
)
def test_a_crop_is_a_part_of_the_array_between_zeros(total, shape, corner) -> None:
    array = np.arange(1, 1 + np.prod(total)).reshape(total)
    padded = np.pad(array, 9)
    begin = [first + 9 for first in corner]
    wanted = np.zeros(shape, array.dtype)
    part = padded[tuple(slice(a, a + n) for a, n in zip(begin, shape, strict=True))]
    wanted[tuple(map(slice, part.shape))] = part
    assert np.array_equal(crop(array, corner, shape), wanted)


def test_a_rare_artery_is_drawn_as_often_as_a_common_one() -> None:
    common = tube_cases(30).cases
    labels = np.zeros((8, 32, 32), np.uint8)
    labels[3, 15, 15] = 3
    rare = LabelledCase("rare", "rare", np.zeros(labels.shape, np.float16), labels)
    sampler = PatchSampler(LabelledCases([*common, rare], TERRITORIES, (1, 1, 1)), (4, 8, 8), 1.0)
    random = np.random.RandomState(0)
    found: Counter[int] = Counter()
    for _ in range(300):
        case, corner = sampler.draw(random)
        present = np.unique(crop(case.labels, corner, (4, 8, 8)))
        assert present.max() > 0
        found.update(present.tolist())
    assert 70 < found[3] < 130
    assert min(found[LEFT], found[RIGHT]) > 70


@pytest.mark.parametrize("rare_share", [0.0, 1.0])
def test_patches_stay_inside_larger_cases_and_hold_smaller_ones_whole(rare_share) -> None:
    random = np.random.RandomState(1)
    cases = tube_cases(2)
    for _ in range(50):
        case, corner = PatchSampler(cases, (16, 8, 8), rare_share).draw(random)
        assert corner[0] == -4
        assert all(0 <= first <= 24 for first in corner[1:])
    case, corner = PatchSampler(cases, (16, 40, 40), rare_share).draw(random)
    assert crop(case.labels, corner, (16, 40, 40)).sum() == case.labels.sum(dtype=int)
