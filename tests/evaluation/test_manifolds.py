"""Neighbourhoods and clusters against frozen values of other libraries, and by hand."""

import json
from pathlib import Path

import numpy as np
import pytest

from cowgan.errors import CowganError
from cowgan.evaluation.manifolds import (
    area_under_prd,
    authentic_share,
    prd_auc,
    prd_curve,
    precision_recall_density_coverage,
    realism_scores,
    vendi_score,
)


@pytest.fixture(scope="module", params=["ordinary", "wide", "duplicates"])
def frozen(request, shared_dir: Path) -> tuple[dict[str, np.ndarray], dict[str, float]]:
    """Return two sets with clusters, and what other libraries make of them."""
    folder = shared_dir / "expected" / "evaluation"
    with np.load(folder / f"{request.param}.npz") as stored:
        arrays = {name: stored[name] for name in stored.files}
    values = json.loads((folder / "values.json").read_text(encoding="utf-8"))
    return arrays, values[request.param]


def normal(count: int, seed: int, scale: float = 1.0) -> np.ndarray:
    return scale * np.random.default_rng(seed).normal(size=(count, 6))


@pytest.mark.parametrize("k", [3, 5])
def test_neighbourhoods_are_those_of_prdc(frozen, k: int) -> None:
    arrays, expected = frozen
    found = precision_recall_density_coverage(arrays["real"], arrays["gen"], k)
    for name, value in found._asdict().items():
        assert value == pytest.approx(expected[f"prdc_k{k}_{name}"], abs=1e-12), name


def test_the_authentic_share_is_that_of_the_published_code(frozen) -> None:
    arrays, expected = frozen
    found = 100 * authentic_share(arrays["real"], arrays["gen"])
    assert found == pytest.approx(expected["authpct_float64"], abs=1e-4)


def test_the_curve_of_clusters_is_the_published_one(frozen) -> None:
    arrays, expected = frozen
    precision, recall = prd_curve(arrays["prd_labels_real"], arrays["prd_labels_gen"])
    np.testing.assert_allclose(precision, arrays["prd_precision"], atol=1e-12)
    np.testing.assert_allclose(recall, arrays["prd_recall"], atol=1e-12)
    area = area_under_prd(precision, recall)
    # The published sum depends on how numpy sorts equal recalls on a processor.
    assert area == pytest.approx(expected["prd_given_labels_auc"], abs=3e-5)


def test_the_area_of_ten_clusterings_is_within_the_spread_of_the_published_recipe(frozen) -> None:
    arrays, expected = frozen
    n = min(len(arrays["real"]), len(arrays["gen"]))
    found = prd_auc(arrays["real"][:n], arrays["gen"][:n])
    spread = 4 * expected["prd_auc_k10_sd"]
    assert found == pytest.approx(expected["prd_auc_k10_mean"], abs=spread)
    assert found == prd_auc(arrays["real"][:n], arrays["gen"][:n])


def test_recall_falls_with_diversity_and_coverage_with_missing_kinds() -> None:
    real, alike = normal(300, 0), normal(300, 1)
    as_real = precision_recall_density_coverage(real, alike)
    contracted = precision_recall_density_coverage(real, normal(300, 2, 0.2))
    half = precision_recall_density_coverage(real, alike[alike[:, 0] > 0.5])
    assert min(as_real.precision, as_real.recall, as_real.coverage) > 0.8
    assert as_real.density == pytest.approx(1, abs=0.15)
    assert contracted.recall < 0.1
    assert contracted.density > 2
    assert half.coverage < 0.8 * as_real.coverage


def test_measures_on_a_line_are_those_counted_by_hand() -> None:
    real = np.array([[0.0], [1.0], [3.0], [10.0]])
    generated = np.array([[0.5], [2.5], [2.6]])
    # Nearest other real: 1, 1, 2 and 7 away. Nearest other generated: 2, 0.1 and 0.1 away.
    found = precision_recall_density_coverage(real, generated, k=1)
    assert found == (1, 2 / 4, (2 + 1 + 1) / 3, 2 / 4 + 1 / 4)


def test_scans_of_one_subject_do_not_hide_copies() -> None:
    people = normal(40, 0)
    training = np.concatenate([people, people + 0.001])
    subjects = [f"sub-{i}" for i in range(40)] * 2
    copies = people + 0.01
    assert authentic_share(training, copies) == 1
    assert authentic_share(training, copies, subjects) == 0


def test_the_effective_number_counts_what_differs() -> None:
    assert vendi_score(np.eye(7)) == pytest.approx(7)
    assert vendi_score(np.repeat(np.eye(7)[:3], 4, axis=0)) == pytest.approx(3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda a: precision_recall_density_coverage(a[:5], a, 5), "more than 5 volumes"),
        (lambda a: prd_auc(a[:6], a), "For 10 clusters"),
        (lambda a: authentic_share(a, a, ["one"] * len(a)), "single subject"),
        (lambda a: vendi_score(0 * a), "all zero"),
    ],
)
def test_sets_that_do_not_fit_are_refused(call, message: str, single_sentence) -> None:
    with pytest.raises(CowganError) as refusal:
        call(normal(20, 0))
    assert message in single_sentence(refusal)


def test_volumes_among_real_ones_are_realistic() -> None:
    real = normal(300, 0)
    typical, odd = (
        realism_scores(real, normal(100, 1, 0.5)),
        realism_scores(real, 6 + normal(100, 2)),
    )
    assert np.median(typical) > 1
    assert odd.max() < 1


def test_realism_falls_with_the_distance() -> None:
    real = normal(100, 0)
    steps = np.linspace(0, 20, 9)
    scores = realism_scores(real, real.mean(0) + np.outer(steps, np.ones(6)))
    assert (np.diff(scores[2:]) < 0).all()


def test_a_copy_of_a_typical_volume_is_as_realistic_as_can_be() -> None:
    real = normal(100, 0)
    scores = realism_scores(real, real)
    assert np.isfinite(scores).all()
    assert (scores > 1e6).mean() == pytest.approx(0.5, abs=0.02)
