"""Vessels move to where they are pulled, and what is marked stays."""

from dataclasses import replace
from itertools import islice

import checkpoint_files as files
import numpy as np
import pytest
import torch
from scipy.ndimage import shift

from cowgan.checkpoint import load_bundled
from cowgan.errors import CowganError
from cowgan.latent.dragging import (
    ARRIVED_VOXELS,
    DragOutcome,
    DragStep,
    Pull,
    beyond_reach,
    drag,
    motion_loss,
    sample_features,
    track,
)
from cowgan.networks import NetworkConfig
from cowgan.synthesis import BlockMix, Direction, Edit, LatentState, Synthesizer

SHAPE = (8, 16, 16)


@pytest.fixture(scope="module")
def bundled() -> Synthesizer:
    return Synthesizer(load_bundled(), "cpu")


@pytest.fixture
def synthesizer() -> Synthesizer:
    return Synthesizer(files.lively(NetworkConfig(32, 16, 2, 8, 8, 2)), "cpu", "exact")


def way_of_content(before: np.ndarray, after: np.ndarray, voxel, reach: int = 10) -> np.ndarray:
    """Return how far what surrounds a voxel has moved, by the best match of its surroundings."""
    z, x, y = voxel
    patch = np.s_[z - 3 : z + 4, x - 5 : x + 6, y - 5 : y + 6]
    sought = before[patch] - before[patch].mean()
    best, way = -np.inf, None
    for dz in range(-3, 4):
        for dx in range(-reach, reach + 1):
            for dy in range(-reach, reach + 1):
                there = after[
                    z + dz - 3 : z + dz + 4, x + dx - 5 : x + dx + 6, y + dy - 5 : y + dy + 6
                ]
                if there.shape == sought.shape:
                    like = (sought * (there - there.mean())).sum() / max(there.std(), 1e-6)
                    if like > best:
                        best, way = like, (dz, dx, dy)
    return np.array(way)


STATE = LatentState(1, psi=0.9)
PULL = Pull((16, 80, 68), (16, 88, 68))
"""Of an artery of that state, 5 mm to the left."""


@pytest.fixture(scope="module")
def before(bundled) -> np.ndarray:
    return bundled.render(STATE).data


@pytest.fixture(scope="module")
def freely_dragged(bundled) -> list[DragStep]:
    return list(islice(drag(bundled, STATE, [PULL]), 60))


def test_a_vessel_of_the_bundled_model_moves_to_its_target(bundled, before, freely_dragged):
    assert freely_dragged[-1].outcome is DragOutcome.ARRIVED
    assert freely_dragged[-1].distance <= ARRIVED_VOXELS < freely_dragged[0].distance
    after = bundled.render(freely_dragged[-1].latent).data
    assert before[PULL.target] < 0.2 < 0.5 < after[PULL.target]
    # The whole surroundings change as well, so that they match best part of the way.
    up, along, across = way_of_content(before, after, PULL.handle)
    assert along >= 3
    assert max(abs(up), abs(across)) < along


def test_what_is_fixed_stays_while_the_vessel_moves(bundled, before, freely_dragged):
    fixed = beyond_reach([PULL], 16, bundled.checkpoint.config.volume_shape)
    dragged = list(islice(drag(bundled, STATE, [PULL], fixed), 60))
    assert dragged[-1].distance < 2
    after = bundled.render(dragged[-1].latent).data
    assert after[PULL.target] > 0.5

    def change(steps: list[DragStep]) -> float:
        volume = bundled.render(steps[-1].latent).data
        return float(np.abs(volume - before)[fixed].mean())

    assert change(dragged) < 0.95 * change(freely_dragged)


def test_a_marked_vessel_elsewhere_changes_half_as_much_while_the_vessel_comes_near(
    bundled, before, freely_dragged
):
    ball = np.indices(before.shape) - np.reshape((23, 61, 82), (3, 1, 1, 1))
    stays = np.linalg.norm(ball, axis=0) <= 8
    assert before[stays].max() > 0.6, "there is a vessel"
    dragged = list(islice(drag(bundled, STATE, [PULL], stays), 60))
    assert dragged[-1].distance < 3
    after, free = (bundled.render(steps[-1].latent).data for steps in (dragged, freely_dragged))
    assert after[PULL.target] > 0.5
    assert np.abs(after - before)[stays].mean() < np.abs(free - before)[stays].mean() / 2


def test_a_drag_starts_from_the_very_volume_with_all_that_was_set(synthesizer):
    direction = Direction("d", "PCA", "p", np.ones(8), 0, 3)
    state = LatentState(
        3,
        psi=0.6,
        centre="nearest",
        cutoff=3,
        mixing=(BlockMix(2, 9, 0.5),),
        noise_seed=7,
        noise_strength=(0.5,),
        edits=(Edit(direction, 1.5, 0, 1),),
    )
    step = next(drag(synthesizer, state, [Pull((8, 16, 16), (8, 20, 16))]))
    assert (step.latent.seed, step.latent.noise_seed, step.latent.noise_strength) == (3, 7, (0.5,))
    assert len(step.latent.w) == 4
    start, moved = synthesizer.render(state).data, synthesizer.render(step.latent).data
    other = synthesizer.render(replace(state, seed=4)).data
    assert 0 < np.abs(moved - start).mean() < np.abs(other - start).mean() / 4


def test_features_that_were_shifted_are_tracked_and_ask_for_no_more_motion():
    features = torch.from_numpy(np.random.default_rng(0).random((1, 6, *SHAPE), np.float32))
    moved = torch.from_numpy(shift(features[0].numpy(), (0, 1, 2, -1), order=0)[None])
    handles = torch.tensor([[4.0, 7, 8], [3, 9, 6]])
    sought = sample_features(features, handles, SHAPE)
    np.testing.assert_allclose(sought[:, 0], features[0, :, 4, 7, 8], rtol=1e-5)
    found = track(moved, sought, handles, SHAPE)
    np.testing.assert_array_equal(found, handles + torch.tensor([1.0, 2, -1]))
    assert motion_loss(moved, found, found, SHAPE) == 0
    assert motion_loss(moved, found, found + 3, SHAPE) > 0.1


def test_tracking_stays_within_the_volume():
    features = torch.rand(1, 3, *SHAPE, generator=torch.Generator().manual_seed(0))
    corner = torch.tensor([[0.0, 15, 0]])
    found = track(features, torch.zeros(3, 1), corner, SHAPE)
    assert (found >= 0).all()
    assert (found <= torch.tensor(SHAPE) - 1).all()


def test_reach_is_measured_from_the_way_of_the_nearest_pull():
    pulls = [Pull((4, 2, 2), (4, 10, 2)), Pull((4, 2, 14), (4, 2, 14))]
    beyond = beyond_reach(pulls, 2.5, SHAPE)
    assert not beyond[4, 6, 4]
    assert beyond[4, 6, 5]
    assert not beyond[2, 2, 14]
    assert beyond[1, 2, 14]


def test_a_drag_that_gets_no_nearer_ends_with_the_nearest_step(synthesizer):
    everything = np.ones((16, 32, 32), dtype=bool)
    everything[8, 16, 16] = False
    pull = Pull((8, 16, 16), (8, 16, 31))
    steps = list(drag(synthesizer, LatentState(3), [pull], everything))
    assert steps[-1].outcome is DragOutcome.STUCK
    assert steps[-1].distance <= min(step.distance for step in steps) + 0.5
    assert all(step.outcome is DragOutcome.MOVING for step in steps[:-1])


@pytest.mark.parametrize(
    ("pulls", "fixed"),
    [
        ([], None),
        ([Pull((8, 16, 16), (8, 16, 32))], None),
        ([Pull((-1, 16, 16), (8, 16, 3))], None),
        ([Pull((8, 16, 16), (8, 16, 3))], np.zeros((8, 16, 16), dtype=bool)),
        ([Pull((8, 16, 16), (8, 16, 3))], np.ones((16, 32, 32), dtype=bool)),
    ],
    ids=["no pull", "target outside", "handle outside", "another size", "fixed handle"],
)
def test_what_cannot_be_dragged_is_refused(synthesizer, pulls, fixed, single_sentence):
    with pytest.raises(CowganError) as refusal:
        next(drag(synthesizer, LatentState(), pulls, fixed))
    single_sentence(refusal)
