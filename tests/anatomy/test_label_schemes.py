"""Tests of label schemes: merging, mirroring and validation."""

import numpy as np
import pytest

from cowgan.anatomy.arteries import Artery
from cowgan.anatomy.label_schemes import (
    LABEL_SCHEMES,
    MAIN_TERRITORIES,
    MERGED_SIDES,
    SEVEN_ARTERIES,
    TERRITORIES,
    TOPCOW_2023,
    TOPCOW_2023_TO_2024,
    TOPCOW_2024,
    label_scheme,
)
from cowgan.errors import CowganError
from cowgan.simulate import make_anatomy


def test_every_artery_merges_into_the_one_of_its_name():
    assert set(MERGED_SIDES.values) == set(Artery)
    for value, merged in MERGED_SIDES.values.items():
        name = Artery(value).abbreviation.removeprefix("R-").removeprefix("L-")
        assert SEVEN_ARTERIES.labels[merged] == {"3rd-A2": "ACA"}.get(name, name)


def test_merging_keeps_every_voxel_and_the_type():
    labels = np.array([[[0, *Artery]]], np.uint8)
    merged = MERGED_SIDES.apply(labels)
    assert merged.dtype == np.uint8
    assert merged.tolist() == [[[0, 1, 2, 2, 3, 4, 3, 4, 6, 6, 7, 5, 5, 5]]]


def test_mirroring_swaps_sides_and_twice_gives_the_same():
    labels = make_anatomy(5, "fetal R-PCA, third A2").labels
    mirrored = TOPCOW_2024.mirrored(labels)
    for right, left in ((Artery.R_PCA, Artery.L_PCA), (Artery.R_PCOM, Artery.L_PCOM)):
        np.testing.assert_array_equal(mirrored == left, (labels == right)[:, ::-1])
    for middle in (Artery.BA, Artery.ACOM, Artery.THIRD_A2):
        np.testing.assert_array_equal(mirrored == middle, (labels == middle)[:, ::-1])
    assert np.argwhere(mirrored == Artery.L_MCA)[:, 1].min() > 64, "left is still left"
    np.testing.assert_array_equal(TOPCOW_2024.mirrored(mirrored), labels)


def test_mirroring_swaps_the_sides_of_territories():
    labels = np.array([[[1], [2], [3], [4], [5], [0]]], np.uint8)
    assert TERRITORIES.mirrored(labels)[0, :, 0].tolist() == [0, 4, 5, 3, 2, 1]


def test_the_other_vessels_become_background():
    assert MAIN_TERRITORIES.apply(np.arange(6)).tolist() == [0, 0, 2, 3, 4, 5]


def test_arteries_of_2023_keep_their_names_in_2024():
    for value, name in TOPCOW_2023.labels.items():
        assert TOPCOW_2024.labels[int(TOPCOW_2023_TO_2024.apply(np.array([value]))[0])] == name


@pytest.mark.parametrize(
    ("scheme", "third_a2", "other"), [(TOPCOW_2024, 13, "2023"), (TOPCOW_2023, 15, "2024")]
)
def test_the_third_a2_of_the_other_year_is_named(scheme, third_a2, other, single_sentence):
    with pytest.raises(CowganError) as refusal:
        scheme.require([0, 1, 12, third_a2])
    sentence = single_sentence(refusal)
    assert sentence.startswith(f"The label {third_a2} is not one of {scheme.name}, whose labels ")
    assert sentence.endswith(f"; in TopCoW {other} it is 3rd-A2.")


def test_schemes_are_found_by_name(single_sentence):
    assert {name: label_scheme(name) for name in LABEL_SCHEMES} == LABEL_SCHEMES
    with pytest.raises(CowganError) as refusal:
        label_scheme("topcow")
    assert single_sentence(refusal) == (
        "There is no label scheme 'topcow'; choose one of topcow2024, topcow2023, "
        "seven-arteries, territories."
    )


@pytest.mark.parametrize("value", [14, 16, 255])
def test_values_of_other_schemes_are_refused(value, single_sentence):
    labels = np.full((2, 2, 2), value, np.uint8)
    for use in (TOPCOW_2024.require, TOPCOW_2024.mirrored, MERGED_SIDES.apply):
        with pytest.raises(CowganError) as refusal:
            use(labels)
        assert single_sentence(refusal) == (
            f"The label {value} is not one of TopCoW 2024, whose labels are 0 (background), 1 to "
            "12 and 15."
        )
