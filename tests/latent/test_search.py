"""Ranking by measured effect."""

import numpy as np
import pytest

from cowgan.checkpoint import Checkpoint
from cowgan.errors import Cancelled, CowganError
from cowgan.latent import (
    block_thirds,
    default_directions,
    direction_between,
    find_directions,
    rank_by_effect,
)
from cowgan.networks import NetworkConfig
from cowgan.synthesis import Direction, Edit, LatentState, Synthesizer, styles

CONFIG = NetworkConfig(32, 16, 4, 32, latent_dim=24, style_depth=2)


@pytest.fixture(scope="module")
def synthesizer() -> Synthesizer:
    checkpoint = Checkpoint.random(CONFIG, seed=1, discriminator=False)
    return Synthesizer(checkpoint, "cpu", "exact")


class Recorder:
    def __init__(self, cancel_after: int | None = None) -> None:
        self.reports: list[tuple[int, int]] = []
        self._cancel_after = cancel_after

    def report(self, done: int, total: int, message: str = "") -> None:
        self.reports.append((done, total))

    @property
    def cancelled(self) -> bool:
        return self._cancel_after is not None and len(self.reports) > self._cancel_after


@pytest.mark.parametrize("method", ["pca", "sefa"])
def test_directions_come_with_the_largest_effect_first(synthesizer, method):
    found = find_directions(synthesizer, method, count=5)
    effects = [d.effect for d in found]
    assert effects == sorted(effects, reverse=True)
    assert min(effects) > 0


def test_a_longer_direction_has_a_larger_effect(synthesizer):
    (long,) = find_directions(synthesizer, "pca", count=1)
    short = Direction("short", "test", "p", long.vector * 0.1, 0, long.last_block)
    assert [d.name for d in rank_by_effect(synthesizer, [short, long])] == [long.name, "short"]


def test_the_effect_is_the_mean_change_of_a_voxel_per_sigma(synthesizer):
    (found,) = find_directions(synthesizer, "sefa", count=1)
    changes = []
    for seed in (0, 1):
        plain = LatentState(seed, psi=0.7, noise=False)
        for sigmas in (-2.0, 2.0):
            edit = Edit(found, sigmas, found.first_block, found.last_block)
            moved = LatentState(seed, psi=0.7, noise=False, edits=(edit,))
            difference = synthesizer.render(moved).data - synthesizer.render(plain).data
            changes.append(np.abs(difference).mean() / 2)
    assert found.effect == pytest.approx(np.mean(changes), rel=1e-4)


def test_the_default_set_is_varied_at_its_head(synthesizer):
    found = default_directions(synthesizer, per_group=2)
    groups = 2 * len(block_thirds(CONFIG.n_blocks))
    assert len(found) == 2 * groups
    assert len({(d.method, d.first_block) for d in found[:groups]}) == groups
    assert len({d.name for d in found}) == len(found)


def test_progress_reaches_the_end_and_cancel_stops(synthesizer):
    recorder = Recorder()
    find_directions(synthesizer, "pca", count=3, progress=recorder)
    assert recorder.reports[-1] == (3, 3)
    with pytest.raises(Cancelled):
        find_directions(synthesizer, "pca", count=3, progress=Recorder(cancel_after=1))


def test_a_search_leaves_the_interactive_cache_alone(synthesizer, monkeypatch):
    synthesizer.render(LatentState(5))
    find_directions(synthesizer, "pca", count=1)

    def refuse(*_):
        raise AssertionError("a cached block was computed again")

    monkeypatch.setattr(synthesizer._network, "run_block", refuse)
    synthesizer.render(LatentState(5))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"method": "ica"}, "ica"),
        ({"method": "pca", "first_block": 2, "last_block": 1}, "range"),
        ({"method": "pca", "last_block": 9}, "range"),
        ({"method": "pca", "count": 0}, "At least one"),
    ],
)
def test_impossible_requests_are_refused_in_a_sentence(synthesizer, arguments, said):
    with pytest.raises(CowganError, match=said):
        find_directions(synthesizer, **arguments)


def test_an_own_direction_leads_from_one_state_to_the_other(synthesizer):
    checkpoint = synthesizer.checkpoint
    (pca,) = find_directions(synthesizer, "sefa", first_block=1, last_block=2, count=1)
    start = LatentState(4)
    end = LatentState(4, edits=(Edit(pca, 1.5, 1, 2),))
    own = direction_between(checkpoint, start, end, "mine")
    assert (own.first_block, own.last_block, own.name) == (1, 2, "mine")
    again = LatentState(4, edits=(Edit(own, 1.0, 1, 2),))
    np.testing.assert_allclose(styles(checkpoint, again), styles(checkpoint, end), atol=1e-5)


def test_no_difference_is_no_direction(synthesizer):
    with pytest.raises(CowganError, match="Nothing has been moved"):
        direction_between(synthesizer.checkpoint, LatentState(1), LatentState(1), "nothing")
