"""Tests of the measures of the paper."""

from dataclasses import replace

import numpy as np
import pytest

from cowgan.errors import CowganError
from cowgan.evaluation.published_recipe import published_measures
from cowgan.features.extractor import Recipe
from cowgan.features.store import FeatureBank

INCEPTION = Recipe("Inception-v3 (FID)", 1)
MEDICALNET = Recipe("MedicalNet ResNet-10", 1)


def bank(recipe, features):
    names = [f"v{i}" for i in range(len(features))]
    return FeatureBank(recipe, "volumes", names, names, features)


def clusters():
    """Return features of ten distinct clusters, of equal and of rising sizes."""
    random = np.random.RandomState(3)
    centres = random.standard_normal((10, 16)) * 40
    sizes = [20] * 10, [4, 8, 12, 16, 20, 20, 24, 28, 32, 36]
    return [
        np.concatenate(
            [
                centre + random.standard_normal((size, 16))
                for centre, size in zip(centres, each, strict=True)
            ]
        ).astype(np.float32)
        for each in sizes
    ]


def test_values_are_those_of_the_published_code():
    # calculate_Medical_fid and compute_prd_from_embedding of MedicalNet/evaluation.py, and
    # calculate_frechet_distance of pytorch-fid 0.3.0, on these features with SciPy 1.17.1.
    real, generated = clusters()
    distance, area = published_measures(
        bank(MEDICALNET, real[:, None]), bank(MEDICALNET, generated[:, None])
    )
    assert (distance.name, area.name) == ("MedicalNet distance", "AUC-PRD")
    assert distance.value == pytest.approx(1816.899117, rel=1e-6)
    assert area.value == pytest.approx(0.883363593, abs=1e-4)
    slices = [each.reshape(50, 4, 16) for each in (real, generated)]
    (fid,) = published_measures(*(bank(INCEPTION, each) for each in slices))
    assert fid.name == "FID"
    assert fid.value == pytest.approx(1816.899050134, rel=1e-9)
    assert (fid.real_volumes, fid.real_rows, fid.recipe) == (50, 200, INCEPTION)


def test_numbers_of_volumes_are_those_that_were_compared():
    real, generated = clusters()
    distance, area = published_measures(
        bank(MEDICALNET, real[:, None]), bank(MEDICALNET, generated[50:, None])
    )
    assert (distance.real_volumes, distance.generated_volumes) == (200, 150)
    assert (area.real_volumes, area.generated_volumes) == (150, 150)


@pytest.mark.parametrize(
    ("real", "generated"),
    [
        (MEDICALNET, INCEPTION),
        (MEDICALNET, replace(MEDICALNET, weights_sha256="0" * 64)),
        (Recipe("Moments", 1), Recipe("Moments", 1)),
    ],
)
def test_features_of_other_extractors_are_refused(real, generated, single_sentence):
    features = np.random.default_rng(0).random((12, 1, 4), np.float32)
    with pytest.raises(CowganError) as refusal:
        published_measures(bank(real, features), bank(generated, features))
    single_sentence(refusal)
