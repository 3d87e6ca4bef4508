"""Key frames are exchanged with napari-animation, where it is installed."""

import numpy as np
import pytest

from cowgan.volume.orthographic import Camera
from napari_cowgan.viewer.camera import look_from

pytest.importorskip("napari_animation")


@pytest.fixture
def animation(viewer):
    from napari_animation._qt import AnimationWidget

    widget = AnimationWidget(viewer)
    viewer.window.add_dock_widget(widget)
    return widget.animation


def test_the_wizard_gets_volumes_and_views(docked_explorer, viewer, qtbot, animation):
    group = docked_explorer.movie
    for seed, plane in ((0, "axial"), (1, "coronal")):
        docked_explorer.model.set_seed(seed)
        look_from(viewer, plane)
        group.add.click()
        group.frames.setValue(4)
    group.turns.setValue(1)
    group.exports["wizard"].trigger()
    qtbot.waitUntil(lambda: len(animation.key_frames) == 5, timeout=60_000)
    # The turn has key frames of its own, or the camera would take the short way.
    assert [one.steps for one in animation.key_frames] == [1, 4, 1, 1, 1]
    points = [one.viewer_state.dims["point"][0] for one in animation.key_frames]
    assert points == [0, 4, 4, 4, 4]
    assert viewer.layers["Movie"].data.shape[0] == 5


def test_views_of_the_wizard_become_key_frames(docked_explorer, viewer, animation):
    layer = docked_explorer.shown.layer
    for plane, steps in (("axial", 1), ("sagittal", 7)):
        look_from(viewer, plane)
        layer.contrast_limits = (0.1, 0.5 + steps / 100)
        animation.capture_keyframe(steps=steps)
    group = docked_explorer.movie
    group.fills["wizard"].trigger()
    first, second = group.keyframes
    for keyframe, plane in ((first, "axial"), (second, "sagittal")):
        np.testing.assert_allclose(keyframe.camera.axes, Camera.of_plane(plane).axes, atol=1e-4)
        assert keyframe.state == docked_explorer.model.latent
    assert (first.frames, second.frames, first.easing) == (7, 1, "linear")
    assert first.contrast.high == pytest.approx(0.51)
    docked_explorer.undo.click()
    assert not group.keyframes


def test_without_an_open_wizard_the_panel_says_so(docked_explorer):
    group = docked_explorer.movie
    group.add.click()
    group.exports["wizard"].trigger()
    assert "wizard" in group.outcome.text()
