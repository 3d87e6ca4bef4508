"""A scan is projected in the explorer, and every control then works on it."""

import numpy as np
import pytest
from qtpy.QtCore import Qt

from cowgan.latent import inversion
from cowgan.synthesis import LatentState, Synthesizer
from cowgan.volume import write_nifti
from napari_cowgan.explorer.scan_comparison import ADDED_LAYER, MISSING_LAYER, SCAN_LAYER


@pytest.fixture
def scan(lone_explorer, tmp_path):
    path = tmp_path / "patient.nii.gz"
    write_nifti(Synthesizer(lone_explorer.model.checkpoint, "cpu").render(LatentState(7)), path)
    return path


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch):
    monkeypatch.setattr(inversion.Effort, "__init__", lambda self: self.__dict__.update(STEPS))


STEPS = {"style": 5, "half": 5, "full": 10, "tuning": 5}


def test_a_projected_scan_is_shown_kept_and_can_be_edited(lone_explorer, scan, qtbot, settle):
    group, model = lone_explorer.projection, lone_explorer.model
    before = model.latent
    group.file.set_path(scan)
    qtbot.mouseClick(group.start, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: model.latent.w is not None, timeout=120_000)
    qtbot.waitUntil(lambda: not group.job.running)
    assert "Vessel Dice" in group.outcome.text()
    assert "patient.nii.gz, sha256" in model.latent.origin
    assert [one.name for one in lone_explorer.favourites.favourites()] == ["patient.nii.gz"]
    settle(lone_explorer)
    projected = lone_explorer.live.drawn.volume
    assert "patient.nii.gz" in projected.provenance["state"]["origin"]
    model.edit("truncation", psi=0.2)
    settle(lone_explorer)
    assert np.abs(lone_explorer.live.drawn.volume.data - projected.data).mean() > 1e-4
    group.comparison.choose("beside")
    layers = lone_explorer._viewer.layers
    assert SCAN_LAYER in layers
    shown = lone_explorer.shown.layer
    np.testing.assert_allclose(layers[SCAN_LAYER].extent.world, shown.extent.world)
    scan = layers[SCAN_LAYER].data.copy()
    group.comparison.choose("difference")
    assert SCAN_LAYER not in layers
    missing, added = layers[MISSING_LAYER], layers[ADDED_LAYER]
    np.testing.assert_allclose(missing.data - added.data, scan - shown.data, atol=1e-6)
    before_edit = missing.data.copy()
    model.edit("truncation", psi=0.1)
    settle(lone_explorer)
    assert np.abs(layers[MISSING_LAYER].data - before_edit).mean() > 1e-4
    group.comparison.choose("alone")
    assert [layer.name for layer in layers] == [shown.name]
    assert shown.visible
    model.undo_stack.undo()
    model.undo_stack.undo()
    model.undo_stack.undo()
    assert model.latent == before
    assert lone_explorer.favourites.favourites() == []


def test_the_selected_layer_is_projected_and_cancelling_keeps_the_best(
    lone_explorer, qtbot, monkeypatch
):
    monkeypatch.setitem(STEPS, "full", 100_000)
    group, model = lone_explorer.projection, lone_explorer.model
    lone_explorer._viewer.layers.selection.active = lone_explorer.shown.layer
    qtbot.mouseClick(group.start_layer, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not group.picture.isHidden(), timeout=120_000)
    group.job.cancel()
    qtbot.waitUntil(lambda: not group.job.running, timeout=60_000)
    assert "Stopped early" in group.outcome.text()
    assert model.latent.w is not None


def test_nothing_can_be_projected_without_a_scan(lone_explorer):
    group = lone_explorer.projection
    group.file.set_path("")
    lone_explorer._viewer.layers.selection.clear()
    assert not group.start.isEnabled()
    assert not group.start_layer.isEnabled()
    assert "Choose a TOF MRA" in group.outcome.text()


def test_tuned_weights_can_be_switched_off_undone_saved_and_opened(
    lone_explorer, scan, qtbot, settle, tmp_path
):
    group, model = lone_explorer.projection, lone_explorer.model
    plain, before = model.synthesizer, model.state
    group.file.set_path(scan)
    group.stage.choose("pivotal")
    group.project_file()
    qtbot.waitUntil(lambda: model.state.tuning is not None, timeout=120_000)
    qtbot.waitUntil(lambda: not group.job.running)
    settle(lone_explorer)
    tuned, state = lone_explorer.live.drawn.volume, model.state
    assert tuned.provenance["checkpoint"]["tuned_to"] == "patient.nii.gz"
    assert "pivotal" in tuned.provenance["state"]["origin"]
    assert model.checkpoint is plain.checkpoint
    group.tuned.click()
    settle(lone_explorer)
    assert model.synthesizer is plain
    assert "tuned_to" not in lone_explorer.live.drawn.volume.provenance["checkpoint"]
    assert np.abs(lone_explorer.live.drawn.volume.data - tuned.data).mean() > 1e-5
    model.undo_stack.undo()
    assert model.state == state
    assert group.tuned.isChecked()
    group.save_to(tmp_path / "projection")
    qtbot.waitUntil(lambda: not group.job.running, timeout=60_000)
    model.undo_stack.undo()
    assert model.state == before
    assert not group.tuned.isChecked()
    group.open_from(tmp_path / "projection")
    qtbot.waitUntil(lambda: model.state.tuning is not None, timeout=60_000)
    settle(lone_explorer)
    again = lone_explorer.live.drawn.volume
    assert again.provenance["checkpoint"]["tuned_to"] == "patient.nii.gz"
    assert np.abs(again.data - tuned.data).mean() < 2e-3
