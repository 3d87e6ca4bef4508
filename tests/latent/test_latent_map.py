"""Maps of a small model's volumes: their places, the way between them, and how typical one is."""

import numpy as np
import pytest
import torch

from cowgan.checkpoint import BUNDLED, Checkpoint, load
from cowgan.latent import BUNDLED_DIRECTIONS, load_directions
from cowgan.latent.anatomy_codes import AnatomyCodes
from cowgan.latent.attribute_models import AttributeSamples
from cowgan.latent.components import pca_directions
from cowgan.latent.latent_map import COMPONENTS, DISTANCE, SEEDS, LatentMap, Typicality
from cowgan.latent.p_space import PSpace
from cowgan.measure.vessel_attributes import Attribute
from cowgan.networks import NetworkConfig
from cowgan.synthesis import BlockMix, Edit, LatentState, style, styles

CONFIG = NetworkConfig(16, 8, 4, 16, latent_dim=12, style_depth=2)
WIDE, HIGH = Attribute("wide", "Width", "mm", 1), Attribute("high", "Height", "mm", 1)
NEVER = Attribute("never", "Never there", "mm", 1)
#   3
# 0 4 1    where 2 has no height
PLACES = {
    "wide": np.array([0.0, 20.0, 10.0, 10.0, 10.0]),
    "high": np.array([0.0, 0.0, np.nan, 3.0, 0.0]),
    "never": np.full(5, np.nan),
}
SAMPLES = AttributeSamples((7, 8, 9, 10, 11), PLACES)
AXES = ("wide", "high")
RIGHT, LEFT, UP, DOWN = (1, 0), (-1, 0), (0, 1), (0, -1)


@pytest.fixture(scope="module")
def checkpoint() -> Checkpoint:
    return Checkpoint.random(CONFIG, seed=4, discriminator=False)


@pytest.fixture(scope="module")
def measured(checkpoint: Checkpoint) -> LatentMap:
    return LatentMap(checkpoint, SAMPLES, (WIDE, NEVER, HIGH))


@pytest.fixture(scope="module")
def plain(checkpoint: Checkpoint) -> LatentMap:
    return LatentMap(checkpoint)


def test_measurements_come_first_and_those_of_no_volume_are_left_out(measured):
    assert list(measured.quantities.values()) == [WIDE, HIGH, *COMPONENTS, DISTANCE]
    assert measured.measured
    np.testing.assert_array_equal(measured.places(*AXES)[3], [10, 3])


def test_without_measurements_the_map_shows_components_of_random_volumes(plain):
    assert not plain.measured
    assert list(plain.quantities.values()) == [*COMPONENTS, DISTANCE]
    assert len(plain.seeds) == SEEDS
    assert plain.places("pca_1", "pca_2").std(0) == pytest.approx(1, abs=0.1)


def test_a_volume_lies_where_its_latent_says(checkpoint, measured):
    values = measured.position(LatentState(SAMPLES.seeds[3]))
    for key, value in values.items():
        assert value == pytest.approx(measured.values[key][3], abs=1e-4)


def test_a_step_along_a_component_moves_a_volume_along_its_axis_only(checkpoint, plain):
    second = pca_directions(checkpoint, 0, CONFIG.n_blocks - 1, 2)[1]
    edit = Edit(second, 1.5, second.first_block, second.last_block)
    before, after = (plain.position(LatentState(3, edits=edits)) for edits in ((), (edit,)))
    moved = {each.key: after[each.key] - before[each.key] for each in COMPONENTS}
    assert moved == pytest.approx({key: 1.5 * (key == "pca_2") for key in moved}, abs=1e-3)


def test_the_nearest_volume_depends_on_the_scale_of_the_axes(measured):
    assert measured.nearest(*AXES, (12, 2), (1, 1)) == 3
    assert measured.nearest(*AXES, (16, 2), (1, 1)) == 1
    assert measured.nearest(*AXES, (14, 2), (10, 1)) == 3
    assert measured.nearest("wide", "wide", (9, 9), (1, 1)) == 2


@pytest.mark.parametrize(
    ("start", "step", "expected"),
    [(0, RIGHT, 4), (4, RIGHT, 1), (1, RIGHT, None), (1, LEFT, 4), (4, UP, 3), (3, DOWN, 4)],
)
def test_the_next_volume_lies_on_the_side_that_was_asked_for(measured, start, step, expected):
    place = tuple(measured.places(*AXES)[start])
    assert measured.next_along(*AXES, place, step, (1, 1)) == expected


def test_a_place_nobody_has_leads_nowhere(checkpoint):
    nowhere = AttributeSamples(
        (0, 1), {"wide": np.array([1, np.nan]), "high": np.array([np.nan, 1])}
    )
    found = LatentMap(checkpoint, nowhere, (WIDE, HIGH))
    assert found.nearest(*AXES, (0, 0), (1, 1)) is None
    assert found.next_along(*AXES, (0, 0), RIGHT, (1, 1)) is None


def test_anatomies_follow_the_volumes_and_can_be_gone_to(checkpoint):
    found = LatentMap(checkpoint, SAMPLES, (WIDE, HIGH))
    w = torch.stack([style(checkpoint, seed) for seed in (7, 99)])
    codes = AnatomyCodes(("a", "b"), PSpace.of(checkpoint).whitened(w).half(), "0" * 64)
    found.show_anatomies(codes, {"wide": np.array([30.0, 5]), "high": np.array([0.0, np.nan])})
    assert [found.name(index) for index in (0, 4, 5, 6)] == ["Seed 7", "Seed 11", "a", "b"]
    own = found.values[DISTANCE.key]
    assert own[5] == pytest.approx(own[0], rel=0.01)
    assert found.nearest(*AXES, (29, 1), (1, 1)) == 5
    assert found.next_along(*AXES, (20, 0), RIGHT, (1, 1)) == 5
    state = found.state(5)
    expected = styles(checkpoint, LatentState(7))
    torch.testing.assert_close(styles(checkpoint, state), expected, rtol=0.02, atol=0.02)
    assert "a" in state.origin
    assert found.state(1) == LatentState(8)
    found.show_anatomies(None)
    assert found.nearest(*AXES, (29, 1), (1, 1)) == 1


def typicality(plain: LatentMap, state: LatentState) -> Typicality:
    return plain.typicality(plain.position(state))


def test_lights_of_random_volumes_are_rarely_red(plain):
    found = [typicality(plain, LatentState(seed)).light for seed in range(SEEDS, SEEDS + 400)]
    assert 0.85 < found.count("green") / 400 < 0.95
    assert found.count("red") / 400 < 0.03


def test_truncation_makes_no_volume_less_typical(plain):
    assert typicality(plain, LatentState(0, psi=0.5)) == typicality(plain, LatentState(0))
    assert typicality(plain, LatentState(0, psi=2.0)).light == "red"


def test_what_is_far_out_is_red_and_says_so(checkpoint, plain):
    first = pca_directions(checkpoint, 0, CONFIG.n_blocks - 1, 1)[0]
    far = typicality(plain, LatentState(0, edits=(Edit(first, 30.0, 0, 0),)))
    assert far.light == "red"
    assert far.distance > 3
    assert Typicality(1.234, "amber").sentence == (
        "Unusual: 1.23 times as far from the model's mean as random volumes."
    )


def test_latents_that_are_all_equally_far_out_leave_room_for_edits():
    model = load(BUNDLED)
    found = LatentMap(model)
    assert DISTANCE.key not in found.quantities
    directions = load_directions(BUNDLED_DIRECTIONS, model).directions
    edits = [
        Edit(each, sigmas, each.first_block, each.last_block)
        for each in directions
        for sigmas in (-3.0, 3.0)
    ]
    assert {typicality(found, LatentState(0, edits=(each,))).light for each in edits} == {"green"}
    assert typicality(found, LatentState(0, edits=tuple(edits[1::2]))).light == "red"


def test_the_least_typical_block_decides(plain):
    order = plain.values[DISTANCE.key].argsort()
    usual, rare = int(order[0]), int(order[-1])
    mixed = LatentState(usual, mixing=(BlockMix(1, rare),))
    assert typicality(plain, mixed) == typicality(plain, LatentState(rare))
