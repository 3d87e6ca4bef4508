"""The seed field accepts 64-bit seeds and explains why anything else is invalid."""

from collections.abc import Iterator

import pytest
from gui_events import click
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from cowgan.randomness import MAX_SEED
from napari_cowgan.widgets.controls import Section
from napari_cowgan.widgets.seed_box import SeedBox


def type_into(box: SeedBox, text: str) -> None:
    box.setFocus()
    box.selectAll()
    QTest.keyClicks(box, text)


@pytest.fixture
def box(qtbot) -> Iterator[SeedBox]:
    """Return a field that is shown beside a second one."""
    window = QWidget()
    box = SeedBox("seed")
    layout = QVBoxLayout(window)
    for widget in (box, box.problem, QLineEdit()):
        layout.addWidget(widget)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    qtbot.waitActive(window)
    yield box


@pytest.mark.parametrize("typed", ["-5", str(MAX_SEED + 1), "9" * 60, "1.5", "three", "1,000"])
def test_an_invalid_seed_is_explained_and_the_seed_stays(box, typed):
    taken = []
    box.show_value(3)
    box.valueChanged.connect(taken.append)
    type_into(box, typed)
    assert typed[:15] in box.problem.text()
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert (box.value(), box.text(), taken) == (3, "3", [])
    assert box.problem.isVisible()
    assert "18,446,744,073,709,551,615" in box.problem.text()
    type_into(box, "8")
    QTest.keyClick(box, Qt.Key.Key_Return)
    assert taken == [8]
    assert not box.problem.isVisible()


def test_leaving_the_field_accepts_the_seed_and_an_empty_field_keeps_it(box, qtbot):
    def leave() -> None:
        qtbot.waitUntil(box.hasFocus)
        QTest.keyClick(box, Qt.Key.Key_Tab)
        qtbot.waitUntil(lambda: not box.hasFocus())

    type_into(box, f" {MAX_SEED} ")
    leave()
    assert box.value() == MAX_SEED
    box.setFocus()
    box.clear()
    leave()
    assert box.value() == MAX_SEED
    assert box.text() == str(MAX_SEED)


def test_arrow_keys_count(box):
    QTest.keyClick(box, Qt.Key.Key_Up)
    QTest.keyClick(box, Qt.Key.Key_Up)
    QTest.keyClick(box, Qt.Key.Key_Down)
    assert box.value() == 1


def test_the_explorer_explains_a_negative_seed_and_keeps_its_own(lone_explorer):
    lone_explorer.model.set_seed(3)
    type_into(lone_explorer.seed.seed, "-5")
    QTest.keyClick(lone_explorer.seed.seed, Qt.Key.Key_Return)
    assert lone_explorer.model.latent.seed == 3
    assert lone_explorer.seed.seed.problem.isVisible()


def test_a_seed_of_64_bits_can_be_read_in_a_dock_of_300_pixels(explorer, qtbot):
    for section in explorer.findChildren(Section):
        section.expand(animate=False)
    dock = explorer.parent()
    while not hasattr(dock, "setFloating"):
        dock = dock.parent()
    dock.setFloating(True)
    dock.resize(300, 900)
    click(explorer.noise.dice)
    boxes = explorer.findChildren(SeedBox)
    assert len(boxes) == 4
    for box in boxes:
        box.show_value(MAX_SEED)

    def readable() -> None:
        assert explorer.width() <= 300
        for box in boxes:
            text = box.fontMetrics().horizontalAdvance(str(MAX_SEED))
            # The room that a line leaves for its text; Qt has no function for it.
            assert text + 8 <= box.width(), box.toolTip()

    qtbot.waitUntil(readable, timeout=5000)
    dock.setFloating(False)
