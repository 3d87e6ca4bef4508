"""Reading windows for tests, driven by real keys."""

import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt
from qtpy.QtGui import QImage
from qtpy.QtOpenGLWidgets import QOpenGLWidget
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from cowgan.turing.design.trials import Rules
from cowgan.turing.reading.snapshot import State
from napari_cowgan.reading.application import Opening
from napari_cowgan.reading.window import ReadingWindow

Key = Qt.Key
FLEETING = {State.LOADING, State.COMMITTING, State.CLOSING}
"""States that end by themselves."""


def make_package(folder: Path, rules: Rules | None = None, **changes: object) -> Path:
    """Make a study of 10 cases, 2 to practise and nothing else, and return its first package."""
    # Those who only read need no generator, which takes seconds to import.
    from turing_studies import freeze, protocol

    small = {"readers": 1, "cases": 10, "repeats": 0, "practice": 2, "impressions": 0}
    chosen = protocol(**{**small, "rules": rules or Rules(), **changes})
    study = freeze(folder, chosen, accept_leak="noise")
    return study.package_folder(study.readers[0])


def open_window(package: Path, copy: Path | None = None) -> ReadingWindow:
    """Return an active window that has opened a package, or shows why it cannot."""
    window = ReadingWindow()
    window.show()
    window.activateWindow()
    Opening(window, package, copy).start()
    wait_for(lambda: window.reading is not None or window.failure is not None)
    return window


def wait_for(condition, timeout_s: float = 60) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        QTest.qWait(5)


def press(window: ReadingWindow, *keys: Qt.Key, **options: object) -> None:
    """Press keys as a keyboard does: whatever has the focus gets them."""
    for key in keys:
        QTest.keyClick(QApplication.focusWidget() or window, key, **options)


def state(window: ReadingWindow) -> State:
    return window.reading.session.state


def wait_for_state(window: ReadingWindow, *wanted: State) -> None:
    wait_for(lambda: state(window) in wanted)


def go_to(window: ReadingWindow, wanted: State, answer: Qt.Key = Key.Key_G) -> None:
    """Press the keys that lead to a state, on the way that readers go."""

    def arrived() -> bool:
        if state(window) is wanted:
            return True
        step(window, answer)
        return False

    wait_for(arrived, timeout_s=120)


def step(window: ReadingWindow, answer: Qt.Key = Key.Key_G) -> None:
    """Press the next key of a reader."""
    match state(window):
        case State.VIEWING:
            impression = window.reading.session.trial.phase == "impression"
            press(window, Key.Key_4 if impression else answer)
        case State.CONFIDENCE:
            press(window, Key.Key_4)
        case State.CONSENT:
            # Enter counts only after a moment, the space bar on the button at once.
            press(window, Key.Key_Tab, Key.Key_Space)
        case here if here in FLEETING:
            QTest.qWait(5)
        case _:
            press(window, Key.Key_Return)


def picture(window: ReadingWindow, pane: int = 0) -> NDArray[np.uint8]:
    """Return the brightness of what a canvas shows, shape (row, column)."""
    native = window.trial_page.image.panes[pane].findChild(QOpenGLWidget)
    image = native.grabFramebuffer().convertToFormat(QImage.Format.Format_Grayscale8)
    bits = image.constBits()
    bits.setsize(image.sizeInBytes())
    rows = np.frombuffer(bits, np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width()].copy()
