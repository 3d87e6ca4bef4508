"""Tests of the augmentation of labelled patches."""

import numpy as np
import pytest
from segmentation_cases import LEFT, RIGHT, tiny_config, tubes

from cowgan.anatomy.label_schemes import TERRITORIES
from cowgan.measure.overlap import dice
from cowgan.segmentation.patch_augmentation import augment, change_intensities


def test_a_mirrored_patch_has_its_sides_swapped() -> None:
    image, labels = tubes(0)
    config = tiny_config(mirror=1.0, intensity=0.0)
    mirrored, sides = augment(
        image.astype(np.float32), labels, TERRITORIES, config, np.random.RandomState(0)
    )
    assert np.array_equal(mirrored, image[:, ::-1].astype(np.float32))
    assert np.array_equal(sides == LEFT, (labels == RIGHT)[:, ::-1])
    assert np.array_equal(sides == RIGHT, (labels == LEFT)[:, ::-1])


def test_labels_follow_a_distorted_image() -> None:
    _, labels = tubes(1, (16, 48, 48))
    image = (labels == LEFT).astype(np.float32)
    config = tiny_config(distortion=1.0, intensity=0.0)
    for seed in range(5):
        turned, moved = augment(image, labels, TERRITORIES, config, np.random.RandomState(seed))
        assert not np.array_equal(moved, labels)
        assert dice(turned > 0.5, moved == LEFT) > 0.95


@pytest.mark.parametrize("strength", [0.5, 1.0, 3.0])
def test_changed_intensities_stay_between_black_and_white(strength) -> None:
    image = tubes(2)[0].astype(np.float32)
    for seed in range(20):
        changed = change_intensities(image, strength, np.random.RandomState(seed))
        assert changed.dtype == np.float32
        assert changed.shape == image.shape
        assert 0 <= changed.min() <= changed.max() <= 1


def test_the_same_random_numbers_give_the_same_patch() -> None:
    image, labels = tubes(3)
    config = tiny_config(mirror=0.5, distortion=0.5)
    first, second = (
        augment(image.astype(np.float32), labels, TERRITORIES, config, np.random.RandomState(7))
        for _ in range(2)
    )
    assert np.array_equal(first[0], second[0])
    assert np.array_equal(first[1], second[1])
