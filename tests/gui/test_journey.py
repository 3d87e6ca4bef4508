"""The explorer's main journey with the bundled model, in a real window with real events."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from gui_events import drag
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QSlider

from cowgan.synthesis import Synthesizer
from napari_cowgan.explorer.panel import LatentExplorer
from napari_cowgan.viewer.display import display_array


@pytest.fixture
def explorer(viewer, qtbot) -> LatentExplorer:
    _, panel = viewer.window.add_plugin_dock_widget("napari-cowgan", "Latent explorer")
    qtbot.waitUntil(lambda: panel.explorer is not None, timeout=60_000)
    widget = panel.explorer
    qtbot.waitUntil(
        lambda: widget.showing_complete_volume and bool(widget.directions.rows), timeout=120_000
    )
    return widget


def wait_until_complete(explorer: LatentExplorer, qtbot) -> None:
    qtbot.waitUntil(lambda: explorer.showing_complete_volume, timeout=60_000)


def test_open_move_undo_export_and_reopen(viewer, explorer, qtbot, tmp_path: Path):
    layer = explorer.shown.layer
    assert layer.data.shape == (32, 128, 128)
    assert viewer.dims.ndisplay == 3
    assert layer.rendering == "mip"
    assert layer.colormap.name == "gray"
    assert viewer.canvas.overlays.scale_bar.visible
    assert {str(unit) for unit in layer.units} == {"millimeter"}
    limits = layer.contrast_limits
    first = layer.data.copy()

    direction = explorer.directions.rows[0]
    inner = direction.slider.findChild(QSlider)
    drag(inner, steps=12, by=inner.width() // 4)
    assert explorer.model.find_edit(direction.direction).sigmas > 0.5
    wait_until_complete(explorer, qtbot)

    # What is shown is what the engine makes of the state, and contrast stays comparable.
    checkpoint = explorer.model.checkpoint
    expected = Synthesizer(checkpoint, "cpu").render(explorer.model.latent)
    np.testing.assert_allclose(layer.data, display_array(expected), atol=0.02)
    assert not np.allclose(layer.data, first, atol=0.02)
    assert layer.contrast_limits == limits

    # The whole drag is one step.
    moved = explorer.model.latent
    QTest.keyClick(
        QApplication.focusWidget() or explorer,
        Qt.Key.Key_Z,
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier,
    )
    assert explorer.model.latent.edits == ()
    assert not explorer.model.undo_stack.canUndo()
    wait_until_complete(explorer, qtbot)
    np.testing.assert_allclose(layer.data, first, atol=1e-6)
    explorer.model.undo_stack.redo()
    assert explorer.model.latent == moved

    path = tmp_path / "shown.nii.gz"
    explorer.export.export_volume(path)
    qtbot.waitUntil(lambda: not explorer.export.job.running, timeout=60_000)
    image = nib.load(path)
    assert image.shape == (128, 128, 32)
    assert nib.aff2axcodes(image.affine) == ("L", "A", "S")
    wait_until_complete(explorer, qtbot)
    (reopened,) = viewer.open(path, plugin="napari-cowgan")
    np.testing.assert_allclose(reopened.data, layer.data, atol=1e-6)
    np.testing.assert_allclose(reopened.extent.world, layer.extent.world)
    stored = reopened.metadata["cowgan"]["provenance"]
    assert stored["state"] == moved.to_dict()
    assert stored["checkpoint"]["sha256"] == checkpoint.sha256

    session = tmp_path / "session.cowgan.json"
    explorer.save_session(session)
    explorer.model.reset()
    explorer.open_session(session)
    assert explorer.model.latent == moved


def test_closing_the_window_during_work_ends_every_thread(viewer, explorer, qtbot):
    explorer.directions.search()
    explorer.browser.browse("seeds")
    for seed in range(5):
        explorer.model.set_seed(seed)
    renderer, thumbnails = explorer.live.renderer, explorer._thumbnails
    viewer.close()
    qtbot.waitUntil(
        lambda: not renderer._thread.is_alive() and not thumbnails._thread.is_alive(),
        timeout=20_000,
    )
