"""Tests of vessels as features."""

from dataclasses import replace

import numpy as np
import pytest

from cowgan.errors import CowganError
from cowgan.evaluation.vessels import COLUMNS, VesselFeatures, compare_vessels, values_of
from cowgan.features.extractor import Recipe
from cowgan.features.store import FeatureBank
from cowgan.measure import measure
from cowgan.simulate.phantom import make_phantom
from cowgan.volume import Volume, default_affine

BY_KEY = {column.key: column for column in COLUMNS}


def bank_of(rows: np.ndarray, copies: int = 1, title: str = "real") -> FeatureBank:
    names = [f"{title} {i}" for i in range(len(rows))]
    subjects = [f"{title} {i // copies}" for i in range(len(rows))]
    features = np.asarray(rows, np.float32)[:, None]
    return FeatureBank(VesselFeatures().recipe, title, names, subjects, features)


def some_rows(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(1, 2, (n, len(COLUMNS)))


def test_a_row_holds_what_is_measured():
    volume, _, _ = make_phantom(3)
    extractor = VesselFeatures()
    (row,) = extractor(volume)
    assert row.shape == (extractor.dimensions,)
    values = dict(zip(BY_KEY, row, strict=True))
    measured = measure(volume)
    assert values["fraction"] == pytest.approx(100 * measured.voxels / volume.data.size)
    assert values["length"] == pytest.approx(measured.length_mm)
    assert values["radius_mean"] == pytest.approx(measured.radius.mean_mm)
    assert values["tortuosity"] == pytest.approx(measured.tortuosity.median_distance_metric)
    assert values["branch_points"] == measured.branching.points
    assert values["pieces"] == measured.components
    assert 0 < values["largest_piece"] <= 100
    assert values["sides_joined"] in (0, 1, 2)
    assert 0.3 < values["wall_slope"] < 1.2


def test_the_recipe_names_the_method():
    assert VesselFeatures().recipe == VesselFeatures("hysteresis").recipe
    assert VesselFeatures("sato").recipe.sha256 != VesselFeatures().recipe.sha256


def test_a_volume_without_vessels_has_zeros_only():
    noise = np.random.default_rng(0).normal(100, 5, (16, 32, 32)).astype(np.float32)
    (row,) = VesselFeatures()(Volume(noise, default_affine(noise.shape)))
    assert not row.any()


def test_a_volume_of_one_grey_level_is_refused():
    flat = np.ones((8, 8, 8), np.float32)
    with pytest.raises(CowganError, match="same intensity"):
        VesselFeatures()(Volume(flat, default_affine(flat.shape)))


def test_what_a_volume_lacks_is_left_out_and_counts_are_not():
    rows = some_rows(6)
    rows[:2] = 0
    bank = bank_of(rows)
    assert len(values_of(bank, BY_KEY["branching_angle"]).values) == 4
    assert values_of(bank, BY_KEY["branching_angle"]).subjects[0] == "real 2"
    assert len(values_of(bank, BY_KEY["loops"]).values) == 6


def test_only_what_differs_is_significant():
    real, generated = some_rows(60), some_rows(60, seed=1)
    place = [column.key for column in COLUMNS].index("length")
    generated[:, place] += 0.5
    found = compare_vessels(bank_of(real), bank_of(generated, title="generated"))
    assert [one.column for one in found] == list(COLUMNS)
    assert {one.column.key for one in found if one.p_holm < 0.05} == {"length"}
    length = found[place]
    assert length.p_holm >= length.difference.p
    assert length.generated.mean - length.real.mean == pytest.approx(0.5, abs=0.15)
    assert length.difference.distance == pytest.approx(0.5, abs=0.15)
    assert length.difference.floor.real_95 < length.difference.floor.generated_median
    again = compare_vessels(bank_of(real), bank_of(generated, title="generated"))
    assert again == found


def test_a_quantity_that_no_generated_volume_has_is_not_compared():
    real, generated = some_rows(8), some_rows(8, seed=1)
    place = [column.key for column in COLUMNS].index("branching_angle")
    generated[:, place] = 0
    found = compare_vessels(bank_of(real), bank_of(generated, title="generated"))
    assert found[place].generated is found[place].difference is found[place].p_holm is None
    assert found[place].real.n == 8
    assert all(one.p_holm is not None for i, one in enumerate(found) if i != place)


@pytest.mark.parametrize("recipe", [Recipe("another", 1), VesselFeatures("sato").recipe])
def test_features_of_other_kinds_are_refused_in_one_sentence(recipe):
    real = bank_of(some_rows(5))
    with pytest.raises(CowganError, match="real and generated are no vessel measurements"):
        compare_vessels(real, replace(real, recipe=recipe, title="generated"))
