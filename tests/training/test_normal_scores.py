"""Normal scores of vessel maps."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, truncnorm
from torch import Tensor

from cowgan.training.normal_scores import EMPTY, NormalScores, below_threshold

OCCUPIED = (1.0, 0.6, 0.1, 0.0)
"""How often each voxel of the maps below is occupied."""


@pytest.fixture(scope="module")
def maps() -> Tensor:
    generator = torch.Generator().manual_seed(0)
    values = EMPTY + torch.empty(4000, 4).exponential_(generator=generator)
    return values * (torch.rand(4000, 4, generator=generator) < torch.tensor(OCCUPIED))


@pytest.fixture(scope="module")
def scores(maps: Tensor) -> NormalScores:
    fitted = NormalScores(4)
    fitted.fit(maps)
    return fitted


def test_scores_are_normally_distributed(scores: NormalScores, maps: Tensor) -> None:
    found, empty = scores(maps)
    assert empty.float().mean(0).tolist() == pytest.approx([1 - one for one in OCCUPIED], abs=0.02)
    ranks = maps[:, 0].argsort().argsort().numpy()
    wanted = norm.ppf((ranks + 0.5) / 4000)
    middle = np.abs(wanted) < 2.5
    np.testing.assert_allclose(found[:, 0].numpy()[middle], wanted[middle], atol=0.03)
    for voxel in (1, 2):
        some = found[:, voxel][~empty[:, voxel]]
        low = float(scores.thresholds[voxel])
        assert low == pytest.approx(norm.ppf(1 - OCCUPIED[voxel]), abs=0.05)
        assert float(some.mean()) == pytest.approx(truncnorm.mean(low, np.inf), abs=0.06)


def test_random_scores_give_maps_like_the_fitted_ones(scores: NormalScores, maps: Tensor) -> None:
    drawn = scores.maps(torch.randn(4000, 4, generator=torch.Generator().manual_seed(1)))
    torch.testing.assert_close(drawn.mean(0), maps.mean(0), atol=0.04, rtol=0)
    torch.testing.assert_close(drawn.std(0), maps.std(0), atol=0.08, rtol=0)
    occupied = (drawn >= EMPTY).float().mean(0)
    torch.testing.assert_close(occupied, torch.tensor(OCCUPIED), atol=0.02, rtol=0)


def test_scores_give_their_maps_back(scores: NormalScores, maps: Tensor) -> None:
    found, empty = scores(maps)
    within = ~empty & (found.abs() < 3)
    torch.testing.assert_close(scores.maps(found)[within], maps[within], atol=1e-3, rtol=1e-3)
    assert float(scores.maps(found)[empty].max()) < EMPTY


@given(st.lists(st.floats(0, 20, width=32), min_size=2, max_size=20))
def test_a_brighter_voxel_never_has_a_lower_score(
    scores: NormalScores, values: list[float]
) -> None:
    ordered = torch.tensor(sorted(values))[:, None].expand(-1, 4)
    found, empty = scores(ordered)
    rising = found.diff(dim=0) >= -1e-5
    assert bool((rising | empty[:-1]).all())


@pytest.mark.parametrize("limit", [-3.0, -0.5, 0.0, 2.0])
def test_the_mean_below_a_threshold_is_that_of_a_truncated_normal(limit: float) -> None:
    found = float(below_threshold(torch.tensor(limit)))
    assert found == pytest.approx(truncnorm.mean(-np.inf, limit), rel=1e-4)
