"""The browser shows as many thumbnails as fit; a click or Return shows the volume of one."""

from dataclasses import replace
from time import sleep

import pytest
from gui_events import CTRL_ALT, click
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QListWidget, QPushButton

from cowgan.synthesis import LatentState
from napari_cowgan.explorer.browser import Browser


@pytest.fixture
def complete(qtbot):
    """Wait until every thumbnail has been rendered."""

    def wait(browser: Browser) -> None:
        qtbot.waitUntil(
            lambda: browser.pictures.count() > 0 and not browser.job.running, timeout=60_000
        )
        assert {cell.state for cell in browser._cells} <= browser._pictures.keys()

    return wait


def click_picture(pictures: QListWidget, index: int) -> None:
    where = pictures.visualItemRect(pictures.item(index)).center()
    QTest.mouseClick(pictures.viewport(), Qt.MouseButton.LeftButton, pos=where)


def captions(browser: Browser) -> list[str]:
    return [browser.pictures.item(i).text() for i in range(browser.pictures.count())]


def test_seeds_fill_the_window_and_a_click_or_return_chooses_one(lone_explorer, qtbot, complete):
    model, browser = lone_explorer.model, lone_explorer.browser
    model.set_seed(3)
    lone_explorer.truncation.psi.slider.setValue(0.6)
    click(lone_explorer.seed.browse)
    browser.resize(3 * 140 + 60, 2 * 154 + 120)
    complete(browser)
    assert captions(browser) == [str(seed) for seed in range(3, 9)]
    click_picture(browser.pictures, 4)
    assert model.latent == LatentState(7, psi=0.6)
    assert "has changed" not in browser.note.text()
    QTest.keyClick(browser.pictures, Qt.Key.Key_Left)
    QTest.keyClick(browser.pictures, Qt.Key.Key_Up)
    QTest.keyClick(browser.pictures, Qt.Key.Key_Return)
    assert model.latent.seed == 3
    QTest.keyClick(browser.pictures, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert model.latent.seed == 7
    click(browser.next)
    complete(browser)
    assert captions(browser)[0] == "9"
    browser.resize(4 * 140 + 60, 3 * 154 + 120)
    qtbot.waitUntil(lambda: browser.pictures.count() == 12)
    complete(browser)
    lone_explorer.truncation.psi.slider.setValue(0.2)
    assert "has changed" in browser.note.text()
    click(browser.again)
    complete(browser)
    assert captions(browser)[0] == "7"
    assert browser._cells[0].state == LatentState(7, psi=0.2)


def test_directions_are_shown_by_their_effect(lone_explorer, qtbot, complete):
    model, browser = lone_explorer.model, lone_explorer.browser
    lone_explorer.directions.rows[1].slider.setValue(1)
    click(lone_explorer.directions.browse)
    browser.resize(5 * 140 + 60, 2 * 154 + 120)
    complete(browser)
    assert browser.pictures.count() == 10
    first, second = model.directions[:2]
    assert captions(browser)[0] == f"{first.name}  -3 σ"
    assert captions(browser)[9] == f"{second.name}  +3 σ"
    # The middle of the second row is the volume without its edit along that direction.
    assert browser._cells[7].state == replace(model.latent, edits=())
    click_picture(browser.pictures, 4)
    assert {e.direction.name: e.sigmas for e in model.latent.edits} == {
        first.name: 3,
        second.name: 1,
    }
    assert lone_explorer.directions.rows[0].slider.value() == 3


def test_browsing_can_be_cancelled_and_closed_by_keys(viewer, explorer, qtbot):
    browser = explorer.browser
    render = explorer.model.synthesizer.render_many
    made = []

    def slowly(states):
        for volume in render(states):
            made.append(volume)
            sleep(0.05)
            yield volume

    explorer.model.synthesizer.render_many = slowly
    QTest.keyClick(viewer.window._qt_window.centralWidget(), Qt.Key.Key_G, CTRL_ALT)
    qtbot.waitUntil(lambda: len(browser._pictures) >= 2, timeout=20_000)
    cancel = browser.job.findChild(QPushButton)
    cancel.setFocus()
    QTest.keyClick(cancel, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: not browser.job.running, timeout=20_000)
    assert len(made) < browser.pictures.count()
    kept = len(browser._pictures)
    assert kept >= 2
    QTest.keyClick(browser.pictures, Qt.Key.Key_Escape)
    assert browser.isHidden()
    assert len(browser._pictures) == kept
