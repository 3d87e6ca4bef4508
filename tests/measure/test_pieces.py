"""Tests of the pieces of a mask by size."""

import numpy as np
import pytest

from cowgan.measure.pieces import Pieces, pieces


def test_pieces_are_sized():
    mask = np.zeros((20, 20, 20), bool)
    mask[1:5, 1:5, 1:6] = True
    mask[8:10, 8:10, 8:12] = True
    mask[15, 15, 15] = mask[16, 16, 16] = True
    assert pieces(mask, (1, 1, 1)) == Pieces(100 * 80 / (80 + 16 + 2), specks=2)
    assert pieces(mask, (1, 1, 2)).specks == 1
    assert (
        pieces(np.flip(mask, 1), (1, 1, 1)) == pieces(mask.T, (1, 1, 1)) == pieces(mask, (1, 1, 1))
    )


@pytest.mark.parametrize(("filled", "expected"), [(False, 0), (True, 100)])
def test_nothing_and_everything(filled, expected):
    assert pieces(np.full((5, 5, 5), filled), (1, 1, 1)) == Pieces(expected, 0)
