"""The distribution of measurements over real anatomies."""

import numpy as np
import pytest

from cowgan.documents import read_json
from cowgan.segmentation.artery_attributes import ATTRIBUTES
from cowgan.segmentation.reference_anatomies import ReferenceAnatomies, reference_anatomies


@pytest.fixture
def reference() -> ReferenceAnatomies:
    rows = [
        {"length": float(i), "loops": float(i > 50), "wide": np.nan if i % 2 else float(i)}
        for i in range(101)
    ]
    return ReferenceAnatomies.of("made up", rows)


@pytest.mark.parametrize(
    ("value", "percentile"), [(-1, 0), (0, 0), (33, 33), (97.5, 97.5), (200, 100)]
)
def test_a_percentile_is_the_share_of_anatomies_below(reference, value, percentile):
    assert reference.percentile("length", value) == pytest.approx(percentile, abs=0.01)


def test_half_of_equal_anatomies_count_as_below(reference):
    assert reference.percentile("loops", 0) == pytest.approx(25)
    assert reference.percentile("loops", 1) == pytest.approx(77.5, abs=3)


def test_what_is_not_known_has_no_percentile(reference):
    assert reference.percentile("other", 1.0) is None
    assert reference.percentile("length", np.nan) is None


def test_anatomies_without_a_value_are_left_out(reference):
    assert reference.quantiles["wide"][-1] == 100
    assert reference.means["wide"] == 50


def test_it_comes_back_from_its_file(reference, tmp_path):
    reference.write(tmp_path / "reference.json")
    assert read_json(tmp_path / "reference.json", ReferenceAnatomies) == reference


def test_the_bundled_distribution_knows_all_that_is_measured():
    bundled = reference_anatomies()
    assert set(bundled.quantiles) == set(ATTRIBUTES)
    assert all(list(each) == sorted(each) for each in bundled.quantiles.values())
    assert 1000 < bundled.quantiles["volume_mm3"][10] < 10_000
