"""Tests of the colours of labels; tests of label maps in napari hold those of arteries apart."""

from cowgan.anatomy.label_colours import label_colours
from cowgan.anatomy.label_schemes import LABEL_SCHEMES, SEVEN_ARTERIES, TOPCOW_2023, TOPCOW_2024


def test_every_label_has_a_colour_of_its_own():
    for scheme in LABEL_SCHEMES.values():
        colours = label_colours(scheme)
        assert list(colours) == list(scheme.labels)
        assert len(set(colours.values())) == len(colours)


def test_an_artery_keeps_its_colour_in_other_schemes():
    assert label_colours(TOPCOW_2023)[13] == label_colours(TOPCOW_2024)[15]
    assert label_colours(SEVEN_ARTERIES)[2] == label_colours(TOPCOW_2024)[2]
