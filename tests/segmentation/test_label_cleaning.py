"""Tests of the removal of specks."""

import numpy as np

from cowgan.segmentation.label_cleaning import drop_small_pieces


def test_specks_go_and_the_largest_piece_of_each_artery_stays() -> None:
    labels = np.zeros((6, 12, 12), np.uint8)
    labels[1:5, 1:5, 1:5] = 2
    labels[0, 11, 11] = 2
    labels[3, 8, 8] = 3
    wanted = labels.copy()
    wanted[0, 11, 11] = 0
    assert np.array_equal(drop_small_pieces(labels, (1, 1, 1), least_mm3=10), wanted)


def test_pieces_are_joined_by_corners_and_measured_in_mm3() -> None:
    labels = np.zeros((4, 8, 8), np.uint8)
    labels[0, 0, 0] = labels[1, 1, 1] = 1
    labels[3, 5:8, 5:8] = 1
    assert np.array_equal(drop_small_pieces(labels, (1, 1, 1), least_mm3=2), labels)
    assert drop_small_pieces(labels, (1, 1, 0.5), least_mm3=2).sum() == 9
    assert not drop_small_pieces(np.zeros_like(labels), (1, 1, 1)).any()
