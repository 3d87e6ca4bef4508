"""Measurements of single arteries."""

import numpy as np
import pytest

from cowgan.anatomy.arteries import Artery
from cowgan.checkpoint import load_bundled
from cowgan.latent.attribute_files import BUNDLED_ATTRIBUTES, load_attributes
from cowgan.latent.attribute_models import LEAST_SAMPLES
from cowgan.measure.branches import find_tubes
from cowgan.segmentation.artery_attributes import (
    ARTERY_ATTRIBUTES,
    ATTRIBUTES,
    artery_values,
)

SPACING = (0.62, 0.62, 0.62)


def test_the_bundled_attributes_belong_to_the_bundled_model():
    """After another model is bundled: cowgan attributes --overwrite --out src/cowgan/bundled/..."""
    stored = load_attributes(BUNDLED_ATTRIBUTES, load_bundled())
    assert stored.samples >= LEAST_SAMPLES
    assert {one.attribute for one in stored.directions} <= set(ATTRIBUTES)


@pytest.fixture
def labels() -> np.ndarray:
    """Return a basilar artery of 3.1 mm and a left PCA of 1.9 mm in diameter, along y."""
    z, x, y = np.indices((24, 64, 64))
    labels = np.zeros(z.shape, np.uint8)
    labels[(np.hypot(z - 12, x - 32) <= 2.5) & (y < 40)] = Artery.BA
    labels[(np.hypot(z - 12, x - 50) <= 1.5) & (y > 20) & (y < 40)] = Artery.L_PCA
    return labels


def values_of(labels: np.ndarray) -> dict[str, float]:
    return artery_values(labels, find_tubes(labels > 0, SPACING), SPACING)


def test_arteries_have_the_diameters_they_were_drawn_with(labels):
    values = values_of(labels)
    assert values["ba_diameter_mm"] == pytest.approx(3.1, abs=0.25)
    assert values["l_pca_diameter_mm"] == pytest.approx(1.9, abs=0.25)


def test_an_absent_artery_has_no_diameter(labels):
    values = values_of(labels)
    assert np.isnan(values["r_pca_diameter_mm"])
    assert np.isnan(values["l_ica_diameter_mm"])


def test_the_vessel_decides_how_wide_an_artery_is_and_not_the_label(labels):
    vessels = labels > 0
    labels[(labels == Artery.L_PCA) & (np.indices(labels.shape)[0] > 12)] = 0
    values = artery_values(labels, find_tubes(vessels, SPACING), SPACING)
    assert values["l_pca_diameter_mm"] == pytest.approx(1.9, abs=0.25)


def test_single_voxels_are_no_artery(labels):
    labels[2, 5, 5:9] = Artery.R_PCA
    assert np.isnan(values_of(labels)["r_pca_diameter_mm"])


def test_every_attribute_is_measured(labels):
    assert set(values_of(labels)) == {each.key for each in ARTERY_ATTRIBUTES}
