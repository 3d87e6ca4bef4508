"""Tests of the sentences on the variant of the circle."""

import numpy as np
import pytest
from scipy.ndimage import binary_dilation

from cowgan.anatomy.arteries import Artery
from cowgan.anatomy.label_schemes import (
    MERGED_SIDES,
    SEVEN_ARTERIES,
    TERRITORIES,
    TOPCOW_2023,
    TOPCOW_2024,
)
from cowgan.segmentation.circle_in_words import circle_in_words
from cowgan.simulate import make_anatomy


@pytest.mark.parametrize(
    ("variant", "sentence"),
    [
        ("complete", "Complete circle."),
        ("absent L-PCom", "Anterior circle complete; left PCom absent."),
        (
            "absent R-A1, third A2, absent L-PCom",
            "Right A1 absent, third A2; left PCom absent.",
        ),
        ("absent ACom", "ACom absent; posterior circle complete."),
    ],
)
def test_phantoms_are_described_as_they_were_asked_for(variant, sentence):
    labels = make_anatomy(5, variant).labels
    assert circle_in_words(labels, TOPCOW_2024) == sentence


@pytest.mark.parametrize(
    ("variant", "sentence"),
    [
        ("complete", "Anterior circle complete; right fetal PCA."),
        ("absent R-PCom", "Anterior circle complete; right P1 absent, right PCom absent."),
    ],
)
def test_a_posterior_artery_without_origin_from_the_basilar_is_fetal(variant, sentence):
    labels = make_anatomy(5, variant).labels
    basilar = binary_dilation(labels == Artery.BA, np.ones((3, 3, 3)))
    labels[basilar & (labels == Artery.R_PCA)] = 0
    assert circle_in_words(labels, TOPCOW_2024) == sentence


def test_arteries_that_everybody_has_are_missed():
    labels = make_anatomy(5, "complete").labels
    labels[np.isin(labels, (Artery.BA, Artery.L_MCA, Artery.L_PCA))] = 0
    assert circle_in_words(labels, TOPCOW_2024) == (
        "Anterior circle complete; left PCA absent, right fetal PCA. The basilar artery and the "
        "left middle cerebral artery were not found."
    )


def test_the_numbers_of_2023_mean_the_same():
    labels = make_anatomy(5, "third A2").labels
    old = np.where(labels == 15, 13, labels)
    assert circle_in_words(old, TOPCOW_2023) == circle_in_words(labels, TOPCOW_2024)


def test_schemes_that_tell_less_say_less():
    labels = make_anatomy(5, "complete").labels
    assert circle_in_words(MERGED_SIDES.apply(labels), SEVEN_ARTERIES) == ""
    assert circle_in_words(np.zeros_like(labels), TOPCOW_2024) == "No artery found."
    assert circle_in_words(np.zeros_like(labels), TERRITORIES) == "No artery found."
    territories = np.zeros_like(labels)
    territories[0, 0, :2] = 2, 4
    assert circle_in_words(territories, TERRITORIES) == (
        "No artery of the anterior and right territory found. Territories do not tell variants of "
        "the circle."
    )
    territories[0, 0, :4] = 2, 3, 4, 5
    assert "all four territories" in circle_in_words(territories, TERRITORIES)
