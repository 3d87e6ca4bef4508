"""Orders of trials."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cowgan.errors import CowganError
from cowgan.turing.design.trial_order import arrange


def order(kinds, repeats=0, seed=0, **changes):
    rules = {"block": 10, "longest_run": 4, "distance": 5, "first_share": 0.6, **changes}
    return arrange(kinds, repeats, random=np.random.RandomState(seed), **rules)


def longest_run(pattern):
    run = longest = 1
    for before, after in pairwise(pattern):
        run = run + 1 if before == after else 1
        longest = max(longest, run)
    return longest


@settings(max_examples=60, deadline=None)
@given(
    half=st.integers(8, 40),
    repeat_pairs=st.integers(0, 3),
    block=st.sampled_from([4, 6, 10]),
    run=st.integers(1, 5),
    distance=st.integers(1, 6),
    seed=st.integers(0, 2**31),
)
def test_every_order_satisfies_all_constraints(half, repeat_pairs, block, run, distance, seed):
    kinds = [False] * half + [True] * half
    repeats = 2 * repeat_pairs
    trials = order(kinds, repeats, seed, block=block, longest_run=run, distance=distance)
    total = 2 * half + repeats
    assert len(trials) == total
    pattern = [kinds[unit] for unit in trials]
    for start in range(0, total, block):
        part = pattern[start : start + block]
        assert sum(part) * 2 == len(part), "a block is not balanced"
    assert longest_run(pattern) <= run
    places = {unit: [i for i, other in enumerate(trials) if other == unit] for unit in set(trials)}
    assert sorted(places) == list(range(2 * half)), "a case is never shown"
    twice = {unit: shown for unit, shown in places.items() if len(shown) > 1}
    assert len(twice) == repeats
    assert sum(kinds[unit] for unit in twice) == repeat_pairs
    for first, second in twice.values():
        assert second - first >= distance
        assert first < 0.6 * total


def test_another_seed_gives_another_order_and_the_same_seed_the_same():
    kinds = [False, True] * 50
    assert order(kinds, 10, 1) == order(kinds, 10, 1)
    assert order(kinds, 10, 1) != order(kinds, 10, 2)


def test_repeats_are_spread_over_all_places_after_the_distance():
    kinds = [False, True] * 50
    seconds = []
    for seed in range(40):
        trials = order(kinds, 10, seed, distance=15)
        seconds += [i for i, unit in enumerate(trials) if unit in trials[:i]]
    assert min(seconds) < 30
    assert max(seconds) > 100
    assert 50 < np.mean(seconds) < 75


def test_every_place_has_each_class_equally_often():
    kinds = [False, True] * 10
    patterns = [[kinds[unit] for unit in order(kinds, 0, seed)] for seed in range(1000)]
    assert np.abs(np.mean(patterns, axis=0) - 0.5).max() < 0.08


@pytest.mark.parametrize("changes", [{"distance": 40}, {"first_share": 0.0}])
def test_impossible_orders_are_reported_in_one_sentence(changes, single_sentence):
    with pytest.raises(CowganError) as refusal:
        order([False, True] * 10, 4, **changes)
    assert "There is no order" in single_sentence(refusal)
