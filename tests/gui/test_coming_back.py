"""The explorer restores its session after it was closed and after a restart of napari."""

import json
import shutil

import pytest
from gui_events import click
from gui_menus import choose, close_panel
from qtpy.QtTest import QTest

from cowgan.synthesis import LatentState
from napari_cowgan.explorer import ExplorerPanel
from napari_cowgan.explorer.last_session import LastSession
from napari_cowgan.explorer.panel import LatentExplorer
from napari_cowgan.widgets.docked import find_panel
from napari_cowgan.widgets.remembered import remember


def choose_explorer(viewer, qtbot, settle) -> LatentExplorer:
    choose(viewer, "Plugins", "CoW-GAN", "Latent explorer")
    panel = find_panel(viewer, ExplorerPanel)
    qtbot.waitUntil(lambda: panel.explorer is not None, timeout=20_000)
    settle(panel.explorer)
    return panel.explorer


def close(viewer) -> None:
    close_panel(find_panel(viewer, ExplorerPanel))
    QTest.qWait(50)


def work(explorer, settle) -> LatentState:
    """Change every setting, and return the state."""
    explorer.model.set_seed(42)
    explorer.directions.rows[1].slider.setValue(1.25)
    explorer.mixing.blocks[1].click()
    explorer.compare.keep("A")
    explorer.truncation.psi.slider.setValue(0.8)
    settle(explorer)
    return explorer.model.latent


def start_again(monkeypatch, make_napari_viewer):
    """Return a new window that behaves as in another process."""
    monkeypatch.setattr(LastSession, "_decided", False)
    viewer = make_napari_viewer(show=True)
    viewer.window.activate()
    return viewer


def test_the_panel_comes_back_with_state_layer_and_display_settings(
    viewer, explorer, qtbot, settle
):
    state = work(explorer, settle)
    layer = explorer.shown.layer
    layer.contrast_limits, layer.gamma, layer.name = (0.2, 0.6), 0.7, "mine"
    viewer.scene.camera.angles = (10, 20, 30)
    for _ in range(2):
        close(viewer)
        again = choose_explorer(viewer, qtbot, settle)
        assert again is not explorer
        assert again.model.latent == state
        assert again.compare.slots["A"].seed == 42
        assert not again.model.undo_stack.canUndo()
        assert list(viewer.layers) == [layer]
        assert again.shown.layer is layer
        assert (layer.contrast_limits, layer.gamma, layer.name) == ([0.2, 0.6], 0.7, "mine")
        assert viewer.scene.camera.angles == pytest.approx((10, 20, 30))
        assert not again.last_session.isVisible()
    again.model.step_seed(1)
    settle(again)
    assert layer.metadata["cowgan"]["provenance"]["state"]["seed"] == 43


def test_display_settings_come_back_even_if_the_layer_was_deleted(viewer, explorer, qtbot, settle):
    explorer.shown.layer.contrast_limits = (0.2, 0.6)
    close(viewer)
    viewer.layers.clear()
    again = choose_explorer(viewer, qtbot, settle)
    assert again.shown.layer.contrast_limits == [0.2, 0.6]
    assert len(viewer.layers) == 1


def test_a_panel_remembers_its_state_although_the_model_is_gone(
    viewer, explorer, other_model, qtbot, settle, tmp_path
):
    copy = tmp_path / "copy.safetensors"
    shutil.copy(other_model, copy)
    explorer.open_checkpoint(copy)
    qtbot.waitUntil(lambda: explorer.model.checkpoint.path == copy, timeout=20_000)
    close(viewer)
    copy.unlink()
    remember("last_checkpoint", str(other_model))
    again = choose_explorer(viewer, qtbot, settle)
    again.model.step_seed(5)
    close(viewer)
    assert json.loads(LastSession.path().read_bytes())["latent"]["seed"] == 5


def test_closing_at_once_loses_nothing(viewer, explorer, qtbot, settle):
    state = work(explorer, settle)
    close(viewer)
    choose(viewer, "Plugins", "CoW-GAN", "Latent explorer")
    qtbot.waitUntil(lambda: find_panel(viewer, ExplorerPanel).explorer is not None)
    close(viewer)
    again = choose_explorer(viewer, qtbot, settle)
    assert again.model.latent == state
    assert len(viewer.layers) == 1


@pytest.mark.parametrize("comparison", ["side_by_side", "difference"])
def test_a_comparison_leaves_no_layers_behind(viewer, explorer, qtbot, comparison):
    explorer.compare.keep("A")
    explorer.compare.keep("B")
    getattr(explorer.compare, comparison).click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=20_000)
    close(viewer)
    assert list(viewer.layers) == [explorer.shown.layer]
    assert explorer.shown.layer.visible
    assert not viewer.canvas.grid.enabled


def test_the_last_session_is_offered_after_a_restart(
    viewer, explorer, qtbot, settle, monkeypatch, make_napari_viewer
):
    state = work(explorer, settle)
    viewer.close()
    second = start_again(monkeypatch, make_napari_viewer)
    again = choose_explorer(second, qtbot, settle)
    assert again.model.latent == LatentState(), "it is an offer"
    assert again.last_session.isVisible()
    assert "Seed 42, edited" in again.last_session.text.text()
    click(again.last_session.resume)
    settle(again)
    assert again.model.latent == state
    assert not again.last_session.isVisible()
    again.undo.click()
    assert again.model.latent == LatentState()


def test_an_offer_can_be_declined_and_is_not_made_again(
    viewer, explorer, qtbot, settle, monkeypatch, make_napari_viewer
):
    work(explorer, settle)
    qtbot.waitUntil(LastSession.path().exists, timeout=5000)  # while the window is open
    close(viewer)
    second = start_again(monkeypatch, make_napari_viewer)
    again = choose_explorer(second, qtbot, settle)
    click(again.last_session.dismiss)
    assert not again.last_session.isVisible()
    close(second)
    assert not choose_explorer(second, qtbot, settle).last_session.isVisible()
    assert again.model.latent == LatentState()


def test_a_damaged_session_file_is_ignored_and_replaced(viewer, small_model, qtbot, settle):
    remember("last_checkpoint", str(small_model))
    path = LastSession.path()
    path.parent.mkdir(parents=True)
    for content in (b"", b"{", b"[1]", b"\xff\xfe", b'{"schema": "cowgan.session/9"}'):
        path.write_bytes(content)
        assert LastSession().offer() is None
    explorer = choose_explorer(viewer, qtbot, settle)
    assert not explorer.last_session.isVisible()
    explorer.model.step_seed(1)
    qtbot.waitUntil(lambda: path.read_bytes() != content, timeout=5000)
    assert json.loads(path.read_bytes())["latent"]["seed"] == 1


def test_an_unwritable_session_file_is_ignored(viewer, explorer, settle, data_folder):
    LastSession.path().mkdir(parents=True)
    explorer.model.step_seed(1)
    settle(explorer)
    close(viewer)
    assert LastSession.path().is_dir()


def test_viewing_without_a_change_keeps_the_session(
    viewer, explorer, qtbot, settle, monkeypatch, make_napari_viewer
):
    work(explorer, settle)
    viewer.close()
    kept = LastSession.path().read_bytes()
    second = start_again(monkeypatch, make_napari_viewer)
    for _ in range(2):
        assert choose_explorer(second, qtbot, settle).last_session.isVisible()
        close(second)
    assert LastSession.path().read_bytes() == kept
