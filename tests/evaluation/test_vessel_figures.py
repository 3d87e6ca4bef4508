"""Tests of the figures of vessels."""

from xml.etree import ElementTree

import numpy as np
import pytest
from evaluation.test_vessels import bank_of, some_rows

from cowgan.evaluation.vessel_figures import vessel_figures
from cowgan.evaluation.vessels import COLUMNS

KEYS = [column.key for column in COLUMNS]


@pytest.fixture(scope="module")
def banks():
    generated = some_rows(9, seed=1)
    generated[:, KEYS.index("branching_angle")] = 0
    return bank_of(generated, title="generated"), bank_of(some_rows(12))


def test_every_quantity_is_drawn_once_even_if_a_set_lacks_it(banks):
    figures = vessel_figures(*banks, holdout=bank_of(some_rows(3, seed=2), title="held out"))
    assert len(figures) == len({column.group for column in COLUMNS})
    described = " ".join(figure.alt for figure in figures).casefold()
    assert all(described.count(column.title.casefold()) for column in COLUMNS)
    for figure in figures:
        ElementTree.fromstring(figure.drawing.svg)


def test_the_curves_are_those_of_each_set(banks, monkeypatch):
    drawn = {}
    from matplotlib.axes import Axes

    def ecdf(axes, values, weights, **look):
        drawn[axes.get_title(loc="left"), look["label"]] = values, weights

    monkeypatch.setattr(Axes, "ecdf", ecdf)
    vessel_figures(*banks)
    values, weights = drawn["Pieces", "generated (n = 9)"]
    np.testing.assert_allclose(values, banks[0].rows[:, KEYS.index("pieces")])
    np.testing.assert_allclose(weights, 1 / 9)
    assert ("Branching angle, °", "generated (n = 9)") not in drawn
