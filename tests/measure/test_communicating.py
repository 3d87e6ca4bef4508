"""Tests of the sides on which both circulations are joined."""

import numpy as np

from cowgan.anatomy.arteries import Artery
from cowgan.measure.communicating import sides_joined
from cowgan.simulate.phantom import make_phantom


def circulations() -> np.ndarray:
    """Return arteries in front and behind, across both sides."""
    mask = np.zeros((8, 50, 50), bool)
    mask[3, 2:48, 5:15] = mask[3, 2:48, 35:45] = True
    return mask


def test_sides_are_counted_one_by_one():
    mask = circulations()
    assert sides_joined(mask) == 0
    mask[3, 8, 10:40] = True
    assert sides_joined(mask) == sides_joined(mask[:, ::-1]) == 1
    mask[3, 41, 10:40] = True
    assert sides_joined(mask) == 2


def test_a_contact_in_the_middle_joins_no_side():
    mask = circulations()
    mask[3, 25, 10:40] = True
    assert sides_joined(mask) == 0
    assert sides_joined(np.zeros_like(mask)) == 0


def test_most_pcoms_of_phantoms_are_found():
    pcoms = (Artery.R_PCOM, Artery.L_PCOM)
    errors = []
    for seed in range(10):
        _, labels, _ = make_phantom(seed)
        errors.append(sides_joined(labels > 0) - sum(artery in labels for artery in pcoms))
        errors.append(sides_joined((labels > 0) & ~np.isin(labels, pcoms)))
    assert np.abs(errors).sum() <= 4
