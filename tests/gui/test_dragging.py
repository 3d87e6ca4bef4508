"""Vessels are pulled with the mouse in slices and in 3D, or by numbers, and dragged."""

import numpy as np
import pytest
from gui_events import click, drag_across
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from cowgan.checkpoint import BUNDLED
from cowgan.latent.drag_plan import DragPlan, VoxelRuns
from cowgan.latent.dragging import Pull
from napari_cowgan.explorer.fixed_layer import FIXED_NAME
from napari_cowgan.explorer.pull_layers import HANDLES_NAME, WAYS_NAME
from napari_cowgan.viewer.camera import look_from, show_slices
from napari_cowgan.widgets.remembered import remember

VESSEL = (16, 80, 68)
"""Voxel (z, x, y) of an artery of seed 1 of the bundled model."""


@pytest.fixture
def opened(viewer, open_explorer, settle):
    """Return an explorer in a napari window that shows seed 1 of the bundled model."""
    remember("last_checkpoint", str(BUNDLED))
    explorer = open_explorer(viewer)
    explorer.model.edit("seed", seed=1, psi=0.9)
    settle(explorer)
    return explorer


def canvas_of(viewer):
    return viewer.window._qt_viewer.canvas


def pixel_of(viewer, world) -> QPoint:
    """Return where a place of the world is drawn on the canvas."""
    canvas = canvas_of(viewer)
    displayed = list(viewer.dims.displayed)
    place = np.asarray(world)[displayed][::-1]
    mapped = canvas.view.scene.transform.map(np.append(place, [0] * (3 - len(place))))
    x, y = (mapped[:2] / mapped[3]).tolist()
    return QPoint(round(x), round(y))


def world_of(explorer, voxel):
    z, x, y = voxel
    layer = explorer.shown.layer
    return layer.data_to_world((z, y, layer.data.shape[2] - 1 - x))


def pull_with_mouse(explorer, viewer, voxel, right: int, down: int) -> None:
    native = canvas_of(viewer).native
    start = pixel_of(viewer, world_of(explorer, voxel))
    QTest.mouseMove(native, start)
    QTest.mousePress(native, Qt.MouseButton.LeftButton, pos=start)
    for share in (0.5, 1):
        move = start + QPoint(round(right * share), round(down * share))
        QTest.mouseMove(native, move)
        QTest.qWait(30)
    QTest.mouseRelease(native, Qt.MouseButton.LeftButton, pos=start + QPoint(right, down))


def names(viewer) -> list[str]:
    return [layer.name for layer in viewer.layers]


def test_a_vessel_is_pulled_on_a_slice_and_dragged(opened, viewer, qtbot, settle):
    group, model = opened.drag, opened.model
    opened_section(opened, group)
    show_slices(viewer, "axial")
    viewer.dims.set_point(0, world_of(opened, VESSEL)[0])
    QTest.qWait(100)
    click(group.place)
    angles = viewer.scene.camera.center
    pull_with_mouse(opened, viewer, VESSEL, 0, -60)
    (pull,) = group.pulls
    np.testing.assert_allclose(pull.handle, VESSEL, atol=4)
    assert pull.target[2] - pull.handle[2] > 3  # up on the screen is forward
    np.testing.assert_allclose(pull.target[:2], VESSEL[:2], atol=4)
    assert viewer.scene.camera.center == angles
    assert {HANDLES_NAME, WAYS_NAME} <= set(names(viewer))
    assert viewer.layers.selection.active is opened.shown.layer
    assert "forward" in group.list.item(0).text()

    before, steps = model.latent, model.undo_stack.index()
    click(group.go)
    assert group.job.isVisible()
    qtbot.waitUntil(lambda: model.latent.w is not None, timeout=120_000)
    group.job.cancel()
    qtbot.waitUntil(lambda: not group.job.running, timeout=120_000)
    assert len(model.latent.w) == model.n_blocks
    assert model.latent.psi == 1
    assert model.undo_stack.index() == steps + 1
    settle(opened)
    model.undo_stack.undo()
    assert model.latent == before
    assert group.pulls == (pull,)
    model.undo_stack.undo()
    assert group.pulls == ()
    assert HANDLES_NAME not in names(viewer)


def test_in_3d_the_vessel_that_is_seen_is_pulled_parallel_to_the_screen(opened, viewer):
    group = opened.drag
    opened_section(opened, group)
    look_from(viewer, "axial")
    QTest.qWait(100)
    click(group.place)
    angles = viewer.scene.camera.angles
    pull_with_mouse(opened, viewer, VESSEL, 40, 0)
    (pull,) = group.pulls
    image = opened.live.drawn.volume.data
    z, x, y = (round(at) for at in pull.handle)
    np.testing.assert_allclose((x, y), VESSEL[1:], atol=2)
    assert image[z, x, y] >= image[:, x, y].max() - 0.05
    assert pull.target[0] == pytest.approx(z, abs=0.1)
    assert pull.target[1] - x > 3  # right on the screen is the patient's left
    assert viewer.scene.camera.angles == angles


def test_beside_vessels_there_is_nothing_to_pull_and_the_group_says_why(opened, viewer):
    group = opened.drag
    opened_section(opened, group)
    look_from(viewer, "axial")
    click(group.place)
    native = canvas_of(viewer).native
    drag_across(native, 20, 100, start=QPoint(8, native.height() // 2))
    assert group.pulls == ()
    assert "no vessel" in group.said.text()


def test_pulls_are_made_changed_and_removed_by_keyboard(opened, viewer):
    group = opened.drag
    opened_section(opened, group)
    group.centre.setFocus()
    QTest.keyClick(group.centre, Qt.Key.Key_Space)
    (pull,) = group.pulls
    assert pull.target == pull.handle
    assert group.list.item(0).text() == "not pulled yet"
    box = group.ways["up"]
    box.setFocus()
    QTest.keyClick(box, Qt.Key.Key_Up)
    QTest.keyClick(box, Qt.Key.Key_Up)
    (pulled,) = group.pulls
    assert pulled.target[0] - pull.handle[0] == pytest.approx(1 / 0.62)
    assert group.list.item(0).text() == "1.0 mm up"
    opened.model.undo_stack.undo()
    assert group.pulls == (pull,)
    group.list.setFocus()
    QTest.keyClick(group.list, Qt.Key.Key_Delete)
    assert group.pulls == ()
    assert "No pulls yet" in group.said.text()
    assert not group.go.isEnabled()


def test_a_handle_that_lies_on_no_vessel_is_named_instead_of_dragged(opened):
    group = opened.drag
    group._edit((Pull(VESSEL, VESSEL), Pull((30, 2, 120), (30, 8, 120))), "pull")
    group.drag()
    assert not group.job.running
    assert group.list.currentRow() == 1
    assert "no vessel" in group.said.text()


@pytest.mark.parametrize("plane", ["slice", "3d"])
def test_what_stays_is_painted_with_the_mouse_and_undone(opened, viewer, plane):
    group, stack = opened.drag, opened.model.undo_stack
    opened_section(opened, group)
    if plane == "slice":
        show_slices(viewer, "axial")
        viewer.dims.set_point(0, world_of(opened, VESSEL)[0])
    else:
        look_from(viewer, "axial")
    QTest.qWait(100)
    click(group.paint)
    (layer,) = (layer for layer in viewer.layers if layer.name == FIXED_NAME)
    assert viewer.layers.selection.active is layer
    angles, steps = viewer.scene.camera.angles, stack.index()
    pull_with_mouse(opened, viewer, VESSEL, 30, 0)
    assert viewer.scene.camera.angles == angles
    assert stack.index() == steps + 1
    painted = group.plan().fixed.mask()
    assert painted[:, VESSEL[1], VESSEL[2]].any()
    assert np.ptp(np.argwhere(painted)[:, 0]) > 4, "a ball, on all of its slices"
    assert "ml should stay" in group.painted.text()
    click(group.paint)
    assert viewer.layers.selection.active is opened.shown.layer
    click(group.unpaint)
    assert group.plan().fixed is None
    stack.undo()
    np.testing.assert_array_equal(group.plan().fixed.mask(), painted)
    stack.undo()
    assert group.plan().fixed is None
    stack.redo()
    np.testing.assert_array_equal(group.plan().fixed.mask(), painted)


def test_a_painted_handle_is_refused(opened, problem):
    group = opened.drag
    stays = np.zeros(opened.live.complete_volume.shape, dtype=bool)
    stays[VESSEL] = True
    group.edit_plan(DragPlan((Pull(VESSEL, (16, 88, 68)),), VoxelRuns.of(stays)), "plan")
    group.drag()
    assert "should stay" in problem(group)
    assert opened.model.latent.w is None


def test_another_change_ends_the_drag(opened, qtbot):
    group, model = opened.drag, opened.model
    group._edit((Pull(VESSEL, (16, 88, 68)),), "pull")
    group.drag()
    qtbot.waitUntil(lambda: model.latent.w is not None, timeout=120_000)
    model.step_seed(1)
    assert not group.job.running
    changed = model.latent
    QTest.qWait(1500)
    assert model.latent == changed


def test_another_model_takes_pulls_away(opened, viewer, small_model, qtbot):
    group = opened.drag
    callbacks = list(viewer.mouse_drag_callbacks)
    group.place.setChecked(True)
    assert viewer.mouse_drag_callbacks != callbacks
    group._edit((Pull(VESSEL, (16, 88, 68)),), "pull")
    opened.open_checkpoint(small_model)
    qtbot.waitUntil(lambda: group.pulls == (), timeout=20_000)
    assert HANDLES_NAME not in names(viewer)
    assert not group.place.isChecked()
    assert viewer.mouse_drag_callbacks == callbacks


def opened_section(explorer, group) -> None:
    """Open the section of the group, so that its controls can be clicked."""
    from napari_cowgan.widgets.controls import Section

    for section in explorer.findChildren(Section):
        if section.isAncestorOf(group) and not section.isExpanded():
            click(section.toggleButton())
