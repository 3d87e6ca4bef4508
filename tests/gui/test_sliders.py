"""Sliders follow mouse, keys and typed numbers, and show a preview before the volume."""

import threading
from itertools import pairwise

import numpy as np
import pytest
from gui_events import CTRL_ALT, drag, wheel
from qtpy.QtCore import QPoint, Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QScrollArea,
    QSlider,
)

from napari_cowgan.explorer.panel import LatentExplorer
from napari_cowgan.viewer.display import display_array
from napari_cowgan.widgets.controls import Section
from napari_cowgan.widgets.sliders import Slider


@pytest.fixture
def explorer(lone_explorer: LatentExplorer) -> LatentExplorer:
    return lone_explorer


@pytest.fixture
def drawn(explorer, monkeypatch) -> list:
    """Return the list of drawn volumes, with the drawing thread."""
    drawn = []
    show = explorer.shown.show
    monkeypatch.setattr(
        explorer.shown,
        "show",
        lambda volume: drawn.append((volume, threading.current_thread())) or show(volume),
    )
    return drawn


def test_a_drag_shows_previews_first_and_the_exact_volume_in_the_end(
    explorer, drawn, settle, monkeypatch
):
    synthesizer = explorer.model.synthesizer
    monkeypatch.setattr(synthesizer, "preview_block", lambda state: 1)
    # What is drawn depends on how busy the window is: it shows only the latest volume. So
    # record the order where volumes are rendered.
    render, stops = synthesizer.render, []
    monkeypatch.setattr(
        synthesizer,
        "render",
        lambda state, stop_block=None, *more: (
            stops.append(stop_block) or render(state, stop_block, *more)
        ),
    )
    slider = explorer.directions.rows[0].slider
    inner = slider.findChild(QSlider)
    drag(inner, steps=10, by=inner.width() // 4)
    settle(explorer)
    previews = [volume.provenance["preview_block"] for volume, _ in drawn]
    assert stops[0] == 1
    assert stops[-1] is None
    assert all(before == 1 for before, after in pairwise(stops) if after is None)
    assert previews[-1] is None
    (edit,) = explorer.model.latent.edits
    assert edit.sigmas > 0.5
    expected = synthesizer.render(explorer.model.latent)
    np.testing.assert_array_equal(explorer.shown.layer.data, display_array(expected))
    assert {thread for _, thread in drawn} == {threading.main_thread()}


def test_a_drag_is_undone_and_redone_in_one_step_by_keys(viewer, docked_explorer, settle):
    first = docked_explorer.shown.layer.data.copy()
    inner = docked_explorer.truncation.psi.slider.findChild(QSlider)
    middle = QPoint(inner.width() * 2 // 3, inner.height() // 2)
    QTest.mousePress(inner, Qt.MouseButton.LeftButton, pos=middle)
    for step in range(1, 9):
        QTest.mouseMove(inner, middle - QPoint(8 * step, 0))
        QTest.qWait(10)
    QTest.mouseRelease(inner, Qt.MouseButton.LeftButton, pos=middle - QPoint(64, 0))
    settle(docked_explorer)
    moved, picture = docked_explorer.model.latent, docked_explorer.shown.layer.data.copy()
    assert moved.psi < 0.9
    window = viewer.window._qt_window
    QTest.keyClick(window.centralWidget(), Qt.Key.Key_Z, CTRL_ALT)
    settle(docked_explorer)
    assert docked_explorer.model.latent.psi == 1
    assert not docked_explorer.model.undo_stack.canUndo()
    np.testing.assert_array_equal(docked_explorer.shown.layer.data, first)
    QTest.keyClick(window.centralWidget(), Qt.Key.Key_Y, CTRL_ALT)
    settle(docked_explorer)
    assert docked_explorer.model.latent == moved
    np.testing.assert_array_equal(docked_explorer.shown.layer.data, picture)


def test_ctrl_z_in_the_panel_undoes_too(explorer):
    explorer.model.set_seed(3)
    explorer.seed.dice.setFocus()
    QTest.keySequence(explorer.seed.dice, QKeySequence("Ctrl+Z"))
    assert explorer.model.latent.seed == 0
    QTest.keySequence(explorer.seed.dice, QKeySequence("Ctrl+Shift+Z"))
    assert explorer.model.latent.seed == 3


def test_the_state_has_the_number_shown_beside_the_slider(explorer):
    row = explorer.directions.rows[0]
    inner = row.slider.findChild(QSlider)
    drag(inner, steps=5, by=inner.width() // 7)
    written = float(row.slider.findChild(QLineEdit).text())
    assert written == explorer.model.find_edit(row.direction).sigmas == row.slider.value()


def test_only_numbers_can_be_typed(explorer):
    row = explorer.directions.rows[0]
    field = row.slider.findChild(QLineEdit)
    # A comma is rejected, so "1,5" becomes 15.
    for typed, value in (("1.25", 1.25), ("-3", -3), ("99", 3), ("1,5", 3), ("", 0), ("abc", 0)):
        row.reset()
        field.setFocus()
        field.selectAll()
        QTest.keyClick(field, Qt.Key.Key_Delete)
        QTest.keyClicks(field, typed)
        QTest.keyClick(field, Qt.Key.Key_Return)
        explorer.seed.dice.setFocus()
        assert row.slider.value() == pytest.approx(value), typed


def test_keys_move_a_slider(explorer):
    row = explorer.directions.rows[0]
    for key, value in (
        (Qt.Key.Key_Right, 0.06),
        (Qt.Key.Key_Down, -0.06),
        (Qt.Key.Key_PageUp, 0.6),
        (Qt.Key.Key_Home, -3),
        (Qt.Key.Key_End, 3),
    ):
        row.reset()
        QTest.keyClick(row.slider.findChild(QSlider), key)
        assert row.slider.value() == pytest.approx(value), key
        assert explorer.model.find_edit(row.direction).sigmas == pytest.approx(value), key


def test_reset_restores_one_slider_as_one_undo_step(explorer):
    row, other = explorer.directions.rows[:2]
    row.slider.setValue(2)
    other.slider.setValue(1)
    row.reset()
    assert [edit.sigmas for edit in explorer.model.latent.edits] == [1]
    explorer.model.undo_stack.undo()
    assert row.slider.value() == 2


def test_a_drag_snaps_to_zero_and_keys_do_not(explorer):
    row = explorer.directions.rows[0]
    inner = row.slider.findChild(QSlider)
    drag(inner, steps=4, by=inner.width() // 4)
    assert row.slider.value() > 1
    middle = QPoint(inner.width() // 2, inner.height() // 2)
    QTest.mousePress(inner, Qt.MouseButton.LeftButton, pos=middle + QPoint(inner.width() // 4, 0))
    seen = set()
    for right in range(inner.width() // 4, -4, -1):
        QTest.mouseMove(inner, middle + QPoint(right, 0))
        seen.add(row.slider.value())
    QTest.mouseRelease(inner, Qt.MouseButton.LeftButton, pos=middle - QPoint(3, 0))
    assert row.slider.value() == 0
    assert explorer.model.latent.edits == ()
    assert not any(0 < abs(value) < 0.12 for value in seen)
    QTest.keyClick(inner, Qt.Key.Key_Right)
    assert explorer.model.find_edit(row.direction).sigmas == pytest.approx(0.06)


def test_a_double_click_resets_a_slider_as_one_step_with_its_clicks(explorer):
    slider, model = explorer.truncation.psi.slider, explorer.model
    slider.setValue(0.4)
    inner = slider.findChild(QSlider)
    left_end = QPoint(3, inner.height() // 2)
    QTest.mousePress(inner, Qt.MouseButton.LeftButton, pos=left_end)
    QTest.mouseRelease(inner, Qt.MouseButton.LeftButton, pos=left_end)
    QTest.mouseDClick(inner, Qt.MouseButton.LeftButton, pos=left_end)
    assert model.latent.psi == 1
    model.undo_stack.undo()
    assert model.latent.psi == 0.4


def test_the_wheel_scrolls_the_panel_and_changes_no_field(explorer):
    for section in explorer.findChildren(Section):
        section.expand(animate=False)
    QTest.qWait(50)
    before = explorer.model.state
    bar = explorer.findChild(QScrollArea).verticalScrollBar()
    assert bar.maximum() > 0
    scrolled = explorer.findChild(QScrollArea).widget()
    for kind in (Slider, QSlider, QComboBox, QAbstractSpinBox, QLineEdit):
        for field in scrolled.findChildren(kind):
            if field.isVisible() and field.isEnabled():
                bar.setValue(0)
                wheel(field)
                assert bar.value() > 0, f"{field} holds the wheel up"
    precision = explorer.checkpoint.precision
    chosen = precision.currentIndex()
    wheel(precision)
    assert precision.currentIndex() == chosen
    assert not explorer.checkpoint.job.running
    assert explorer.model.state == before


def test_only_the_last_of_a_hundred_fast_moves_is_rendered_in_full(explorer, settle, monkeypatch):
    synthesizer = explorer.model.synthesizer
    render, moved = synthesizer.render, threading.Event()

    def render_after_the_moves(*arguments):
        assert moved.wait(60)
        return render(*arguments)

    monkeypatch.setattr(synthesizer, "render", render_after_the_moves)
    slider = explorer.truncation.psi.slider
    before = explorer.live.renderer.renders
    for value in np.linspace(0, 1.5, 100):
        slider.setValue(value)
    moved.set()
    settle(explorer)
    assert explorer.model.latent.psi == 1.5
    # A preview of the first move, then preview and volume of the last.
    assert explorer.live.renderer.renders - before <= 3
    expected = render(explorer.model.latent)
    np.testing.assert_array_equal(explorer.shown.layer.data, display_array(expected))


def test_a_drag_does_not_queue_previews(explorer, qtbot, monkeypatch):
    for section in explorer.findChildren(Section):
        section.expand(animate=False)
    explorer.findChild(QScrollArea).ensureWidgetVisible(explorer.mixing)
    for psi in np.linspace(0.1, 1, 50):
        explorer.truncation.psi.slider.setValue(psi)
        QApplication.processEvents()
    assert len(explorer._thumbnails._wanted) <= 2


def test_a_repeated_problem_is_shown_once(explorer, problem, monkeypatch, qtbot, settle):
    from cowgan.errors import CowganError

    def fail(*_: object) -> None:
        raise CowganError("The graphics card is full.")

    monkeypatch.setattr(explorer.model.synthesizer, "render", fail)
    for seed in range(10):
        explorer.model.set_seed(seed)
        QTest.qWait(20)
    assert problem(explorer) == "The graphics card is full."
    monkeypatch.undo()
    explorer.model.set_seed(11)
    settle(explorer)
