"""Undo, locking and directions of the explorer model, without a window."""

from dataclasses import replace

import numpy as np
import pytest

from cowgan.checkpoint import load
from cowgan.randomness import MAX_SEED
from cowgan.synthesis import BlockMix, Direction, LatentState, Synthesizer
from napari_cowgan.explorer.explorer_model import ExplorerModel


@pytest.fixture
def model(qapp, small_model) -> ExplorerModel:
    model = ExplorerModel()
    model.use(Synthesizer(load(small_model)))
    return model


@pytest.fixture
def wider() -> Direction:
    return Direction("Wider", "PCA", "w", np.arange(32, dtype=np.float32), 0, 1)


def test_changes_of_one_gesture_are_one_step(model):
    for psi in (0.9, 0.5, 0.3):
        model.edit("truncation", "drag", psi=psi)
    model.edit("truncation", "another drag", psi=0.1)
    assert model.undo_stack.count() == 2
    model.undo_stack.undo()
    assert model.latent.psi == 0.3
    model.undo_stack.undo()
    assert model.latent == LatentState()


def test_a_drag_back_to_its_start_is_no_step(model):
    for psi in (0.9, 0.5, 1.0):
        model.edit("truncation", "drag", psi=psi)
    assert not model.undo_stack.canUndo()
    assert model.latent == LatentState()


def test_a_step_during_a_gesture_stays_separate(model):
    model.edit("truncation", "keys", psi=0.9)
    model.set_seed(4)
    model.edit("truncation", "keys", psi=0.8)
    model.undo_stack.undo()
    model.undo_stack.undo()
    assert (model.latent.psi, model.latent.seed) == (0.9, 0)


def test_a_new_change_after_undo_drops_what_was_undone(model):
    model.set_seed(1)
    model.set_seed(2)
    model.undo_stack.undo()
    model.set_seed(3)
    assert not model.undo_stack.canRedo()
    model.undo_stack.undo()
    assert model.latent.seed == 1


@pytest.mark.parametrize(("start", "step", "end"), [(MAX_SEED, 1, 0), (0, -1, MAX_SEED)])
def test_seeds_wrap_around_at_both_ends(model, start, step, end):
    model.set_seed(start)
    model.step_seed(step)
    assert model.latent.seed == end


def test_only_undo_changes_a_locked_seed(model):
    model.set_seed(5)
    model.lock_seed(True)
    model.set_seed(6)
    model.step_seed(1)
    model.roll_seed()
    model.swap_parents()
    assert model.latent.seed == 5
    assert model.state.mix_seed == 1
    model.undo_stack.undo()
    assert model.latent.seed == 0


def test_swapping_twice_gives_the_same_state(model):
    model.set_mixing({0, 3}, 9, 0.25, "mix")
    before = model.state
    model.swap_parents()
    assert model.latent.seed == 9
    assert model.latent.mixing == (BlockMix(0, 0, 0.25), BlockMix(3, 0, 0.25))
    model.swap_parents()
    assert model.state == before


def test_a_renamed_direction_stays_the_same_after_undo(model, wider):
    model.set_directions([wider])
    model.set_edit(wider, 1.0, (0, 1))
    model.set_edit(wider, 2.0, (0, 1))
    model.rename_direction(wider, "Basilar artery")
    assert [d.name for d in model.directions] == ["Basilar artery"]
    assert model.latent.edits[0].direction.name == "Basilar artery"
    model.undo_stack.undo()
    (again,) = model.directions
    assert (again.name, model.latent.edits[0].direction.name) == ("Wider", "Wider")
    assert model.find_edit(again).sigmas == 2.0
    model.undo_stack.redo()
    (renamed,) = model.directions
    assert (renamed.name, model.find_edit(renamed).sigmas) == ("Basilar artery", 2.0)
    model.set_edit(renamed, 0.0, (0, 1))
    assert model.latent.edits == ()


def test_undo_brings_a_removed_direction_back(model, wider):
    model.set_directions([wider])
    model.set_edit(wider, 1.0, (0, 1))
    model.remove_direction(wider)
    assert (model.latent.edits, model.directions) == ((), [])
    model.undo_stack.undo()
    assert model.directions == [wider]
    assert model.find_edit(wider).sigmas == 1.0


def test_no_direction_is_listed_twice(model, wider):
    model.set_directions([replace(wider, name="Mine"), wider])
    assert [d.name for d in model.directions] == ["Mine"]


def test_another_model_keeps_only_the_seed(model, wider, other_model):
    model.set_directions([wider])
    model.set_edit(wider, 1.0, (0, 1))
    model.set_mixing({1}, 3, 0.5, "mix")
    model.edit("psi", psi=0.7, seed=8, noise=False)
    model.use(Synthesizer(load(other_model)))
    assert model.latent == LatentState(8, psi=0.7, noise=False)
    assert model.directions == []
    assert not model.undo_stack.canUndo()


def test_another_precision_keeps_everything(model, wider):
    model.set_directions([wider])
    model.set_edit(wider, 1.0, (0, 1))
    before = model.state
    model.use(Synthesizer(model.checkpoint, precision="exact"))
    assert model.state == before
    assert model.undo_stack.canUndo()


def test_a_restored_state_brings_its_second_parent(model):
    model.take(LatentState(2, mixing=(BlockMix(1, 77, 0.5),)), "favourite")
    assert (model.state.mix_seed, model.state.mix_amount) == (77, 0.5)
    model.take(LatentState(3), "favourite")
    assert (model.state.mix_seed, model.state.mix_amount) == (77, 0.5)
