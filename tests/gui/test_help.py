"""The "?" of every panel and window, and F1, open its documentation page."""

from collections.abc import Callable
from pathlib import Path

import pytest
from gui_events import click
from napari._app_model import get_app_model
from npe2 import PluginManifest
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton, QApplication, QComboBox, QWidget
from reading_windows import go_to, make_package, press, state, wait_for

from cowgan.turing.reading.snapshot import State
from napari_cowgan.help import topics
from napari_cowgan.help.button import HelpButton
from napari_cowgan.help.topics import Topic
from napari_cowgan.study.wizard import StudyWizard

PANELS = {
    "Latent explorer": Topic.EXPLORER,
    "Segmentation": Topic.SEGMENTATION,
    "Data": Topic.DATA,
    "Training": Topic.TRAINING,
    "Evaluation": Topic.EVALUATION,
    "Turing study": Topic.STUDY,
    "Artery legend": Topic.LEGEND,
    "Three planes": Topic.THREE_PLANES,
}


def open_panel(viewer, title: str) -> QWidget:
    _, panel = viewer.window.add_plugin_dock_widget("napari-cowgan", title)
    # The explorer appears once PyTorch is loaded.
    wait_for(lambda: any(button.isVisible() for button in panel.findChildren(HelpButton)))
    return panel


def button_of(panel: QWidget) -> HelpButton:
    (button,) = panel.findChildren(HelpButton)
    return button


def test_every_panel_has_a_help_topic():
    manifest = PluginManifest.from_distribution("napari-cowgan")
    assert {widget.display_name for widget in manifest.contributions.widgets} == set(PANELS)


@pytest.mark.parametrize("title", PANELS)
def test_the_question_mark_and_f1_open_the_page_on_a_panel(viewer, browsed, title: str, qtbot):
    panel = open_panel(viewer, title)
    button = button_of(panel)
    assert "F1" in button.toolTip()
    click(button)
    assert browsed == [PANELS[title]]

    viewer.window.activate()
    fields = [*panel.findChildren(QAbstractButton), *panel.findChildren(QComboBox)]
    inside = next(f for f in fields if f.isVisible() and f.isEnabled() and f.focusPolicy())
    inside.setFocus()
    qtbot.waitUntil(inside.hasFocus)
    QTest.keyClick(inside, Qt.Key.Key_F1)
    assert browsed == 2 * [PANELS[title]]


def test_each_of_two_panels_opens_its_own_page(viewer, browsed):
    panels = [open_panel(viewer, title) for title in ("Data", "Turing study")]
    for panel in panels:
        panel.parentWidget().raise_()
        QApplication.processEvents()
        button_of(panel).setFocus()
        QTest.keyClick(button_of(panel), Qt.Key.Key_F1)
    assert browsed == [Topic.DATA, Topic.STUDY]


def test_the_wizard_has_a_page_of_its_own(viewer, browsed, qtbot):
    panel = open_panel(viewer, "Turing study")
    panel.plan_study()
    (wizard,) = panel.findChildren(StudyWizard)
    qtbot.waitUntil(wizard.isActiveWindow)
    click(button_of(wizard))
    QTest.keyClick(QApplication.focusWidget(), Qt.Key.Key_F1)
    assert browsed == [Topic.NEW_STUDY, Topic.NEW_STUDY]


def test_the_command_palette_opens_the_first_page(viewer, browsed):
    get_app_model().commands.execute_command("napari-cowgan.documentation").result()
    assert browsed == [Topic.HOME]


def test_missing_pages_are_reported_with_how_to_build_them(
    viewer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem
):
    monkeypatch.setattr(topics, "PAGES", tmp_path / "none")
    panel = open_panel(viewer, "Data")
    click(button_of(panel))
    assert "make docs" in problem(panel)


@pytest.mark.parametrize("wanted", [State.INSTRUCTIONS, State.READY, State.VIEWING, State.RATED])
def test_readers_can_open_their_page_at_any_time(
    tmp_path: Path, windows: Callable, browsed, wanted: State
):
    window = windows(make_package(tmp_path))
    go_to(window, wanted)
    press(window, Qt.Key.Key_F1)
    shown = window.trial_page.side.help if window.trial_page.side.isVisible() else window.page.help
    assert shown.isVisible()
    click(shown)
    assert browsed == [Topic.READING, Topic.READING]
    assert state(window) is wanted
