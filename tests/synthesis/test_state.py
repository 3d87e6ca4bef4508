import json
import random
from dataclasses import replace

import checkpoint_files as files
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from latent_states import directions, states

from cowgan.errors import CowganError
from cowgan.randomness import MAX_SEED
from cowgan.synthesis import BlockMix, Direction, Edit, LatentState

any_state = states(files.TINY)


@settings(deadline=None)
@given(any_state)
def test_a_state_survives_json(state):
    assert LatentState.from_dict(json.loads(json.dumps(state.to_dict()))) == state


def test_a_state_from_before_the_centre_could_be_chosen_is_truncated_to_the_mean():
    content = LatentState(4, psi=0.5, centre="nearest").to_dict()
    assert content.pop("centre") == "nearest"
    assert LatentState.from_dict(content) == LatentState(4, psi=0.5, centre="mean")
    assert content == LatentState(4, psi=0.5).to_dict()


@settings(deadline=None)
@given(directions(files.TINY))
def test_a_direction_survives_json_bit_by_bit(direction):
    copy = Direction.from_dict(json.loads(json.dumps(direction.to_dict())))
    assert copy == direction
    np.testing.assert_array_equal(copy.vector, direction.vector)
    assert copy.effect == direction.effect


@settings(deadline=None)
@given(any_state, st.integers(0, MAX_SEED))
def test_a_new_seed_takes_the_place_of_what_was_found_for_a_scan(state, seed):
    projected = replace(state, w=((0.0,) * files.TINY.latent_dim,), origin="scan.nii.gz")
    fresh = projected.with_seed(seed)
    assert (fresh.seed, fresh.w, fresh.origin, fresh.noise_maps) == (seed, None, "", ())
    assert (fresh.edits, fresh.mixing, fresh.psi) == (state.edits, state.mixing, state.psi)
    if not state.noise_maps:
        assert fresh.noise_strength == state.noise_strength
        assert fresh.noise_seed == state.noise_seed


def test_states_with_equal_content_are_one_key():
    direction = Direction("a", "PCA", "w", np.arange(8), 0, 1)
    first, second = (LatentState(5, edits=(Edit(direction, 1.0, 0, 1),)) for _ in range(2))
    assert len({first, second}) == 1
    other = Direction("a", "PCA", "w", np.arange(8) + 1, 0, 1)
    assert replace(first, edits=(Edit(other, 1.0, 0, 1),)) != first


def test_the_vector_of_a_direction_is_its_own_and_cannot_be_changed():
    vector = np.zeros(8, np.float32)
    direction = Direction("a", "PCA", "w", vector, 0, 1)
    vector[:] = 1
    assert not direction.vector.any()
    with pytest.raises(ValueError, match="read-only"):
        direction.vector[0] = 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"seed": -1},
        {"seed": MAX_SEED + 1},
        {"seed": 1.0},
        {"seed": "1\n" * 500},
        {"seed": True},
        {"seed": None},
        {"noise_seed": -1},
        {"noise_seed": 0.5},
        {"psi": float("nan")},
        {"psi": float("inf")},
        {"cutoff": -1},
        {"centre": "median"},
        {"centre": None},
        {"noise": "yes"},
        {"noise_strength": (float("nan"),)},
        {"mixing": (BlockMix(0, -1),)},
        {"mixing": (BlockMix(0, 1, 1.5),)},
        {"mixing": (BlockMix(0, 1, float("nan")),)},
        {"mixing": (BlockMix(0, 1), BlockMix(0, 2))},
        {"w": ((float("inf"),),)},
    ],
    ids=lambda wrong: f"{wrong!r:.40}",
)
def test_an_impossible_state_is_refused(wrong, single_sentence):
    with pytest.raises(CowganError) as refusal:
        LatentState(**wrong)
    single_sentence(refusal)


@pytest.mark.parametrize(
    "wrong",
    [
        {"vector": []},
        {"vector": [[1.0]]},
        {"vector": [float("nan")]},
        {"space": "z"},
        {"effect": float("nan")},
        {"name": "many\nlines" * 100, "space": None},
        {"first_block": -1},
        {"first_block": 3, "last_block": 2},
    ],
    ids=repr,
)
def test_an_impossible_direction_is_refused(wrong, single_sentence):
    content = {
        "name": "a",
        "method": "PCA",
        "space": "w",
        "vector": [1.0],
        "first_block": 0,
        "last_block": 1,
    }
    with pytest.raises(CowganError) as refusal:
        Direction(**content | wrong)
    single_sentence(refusal)


@pytest.mark.parametrize("schema", [None, "cowgan.latent-state/2", 1, []])
def test_another_schema_is_refused(schema, single_sentence):
    with pytest.raises(CowganError) as refusal:
        LatentState.from_dict(LatentState().to_dict() | {"schema": schema})
    single_sentence(refusal)


@pytest.mark.parametrize("content", [None, [], "state", 3, {}])
def test_something_else_than_a_state_is_refused(content, single_sentence):
    with pytest.raises(CowganError) as refusal:
        LatentState.from_dict(content)
    single_sentence(refusal)


garbage = st.sampled_from(
    [None, True, -1, 2**70, 10**400, 1.5, float("nan"), float("inf"), "", "abc", "1", [], [[]],
     ["a"], [None], {}, {"block": 1}, [[1.0, "x"]], [{"direction": {}}], [{"direction": None}]]
)  # fmt: skip
leaves = st.recursive(garbage, lambda inner: st.lists(inner, max_size=3), max_leaves=5)


@settings(deadline=None, max_examples=300)
@given(any_state, leaves, st.randoms(use_true_random=False))
def test_a_damaged_state_is_refused_or_still_a_state(state, value, chosen: random.Random):
    content = state.to_dict()
    place = content
    while True:
        key = chosen.choice(list(place) if isinstance(place, dict) else range(len(place)))
        inner = place[key]
        if not isinstance(inner, dict | list) or not inner or chosen.random() < 0.4:
            break
        place = inner
    if chosen.random() < 0.3:
        del place[key]
    else:
        place[key] = value
    try:
        rebuilt = LatentState.from_dict(content)
    except CowganError as error:
        assert "\n" not in error.sentence
        assert error.sentence.endswith(".")
    else:
        assert isinstance(rebuilt, LatentState)
        hash(rebuilt)
        json.dumps(rebuilt.to_dict(), allow_nan=False)


def test_strength_is_one_beyond_the_listed_blocks_and_zero_without_noise():
    state = LatentState(noise_strength=(0.5,))
    assert [state.strength(block) for block in (0, 1, 9)] == [0.5, 1.0, 1.0]
    assert replace(state, noise=False).strength(0) == 0.0


def test_noise_follows_the_seed_unless_it_has_its_own():
    assert LatentState(seed=3).effective_noise_seed == 3
    assert LatentState(seed=3, noise_seed=0).effective_noise_seed == 0
