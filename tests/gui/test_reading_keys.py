"""The gate: no key but the test's own does anything, in any state."""

import pytest
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QApplication, QDockWidget, QMenu
from reading_windows import Key, go_to, make_package, press, state

from cowgan.turing.course import Rules
from cowgan.turing.session import State

Modifier = Qt.KeyboardModifier
NONE, SHIFT = Modifier.NoModifier, Modifier.ShiftModifier
MODIFIERS = (
    NONE,
    SHIFT,
    Modifier.ControlModifier,
    Modifier.AltModifier,
    Modifier.ControlModifier | SHIFT,
    Modifier.MetaModifier,
)
COMMON = {Key.Key_Return, Key.Key_Enter, Key.Key_Space, Key.Key_F11, Key.Key_Tab, Key.Key_Backtab}
ON_PICTURE = {
    *(Key.Key_R, Key.Key_G, Key.Key_M, Key.Key_W, Key.Key_P),
    *(Key.Key_Up, Key.Key_Down, Key.Key_PageUp, Key.Key_PageDown),
}
LEVELS = {Key.Key_1, Key.Key_2, Key.Key_3, Key.Key_4, Key.Key_5}
OWN = {
    State.INSTRUCTIONS: COMMON,
    State.CONSENT: COMMON,
    State.READY: COMMON | {Key.Key_P},
    State.VIEWING: COMMON | ON_PICTURE,
    State.CONFIDENCE: COMMON | ON_PICTURE | LEVELS | {Key.Key_Backspace},
    State.RATED: COMMON | ON_PICTURE | LEVELS | {Key.Key_Backspace},
    State.FEEDBACK: COMMON | (ON_PICTURE - {Key.Key_R, Key.Key_G}),
    State.PAUSED: COMMON | {Key.Key_P},
    State.BREAK: COMMON | {Key.Key_P},
    State.FINISHED: COMMON,
}
"""Keys that do something in each state, without modifiers or with Shift."""


def everything(window, package):
    """Return whatever a key could have changed."""
    models = [pane.model for pane in window.image.panes]
    layers = [layer for model in models for layer in model.layers]
    session = window.reading.session
    return {
        "state": (session.state, session.standing.__dict__ | {"latest_ns": 0}),
        "view": window.image.view,
        "layers": [(layer.name, layer.mode, layer.visible, layer.gamma) for layer in layers],
        "transforms": [layer.affine.affine_matrix.tolist() for layer in layers],
        "scales": [(layer.scale.tolist(), layer.translate.tolist()) for layer in layers],
        "limits": [tuple(layer.contrast_limits) for layer in layers],
        "dims": [
            (model.dims.order, model.dims.ndisplay, model.dims.current_step) for model in models
        ],
        "cameras": [model.scene.camera.model_dump(mode="json") for model in models],
        "grids": [model.canvas.grid.enabled for model in models],
        "window": (window.windowState(), window.size(), window.stack.currentIndex()),
        "docks": len(window.findChildren(QDockWidget)),
        "menus": [menu.isVisible() for menu in window.findChildren(QMenu)],
        "top levels": sorted(
            type(w).__name__ for w in QApplication.topLevelWidgets() if w.isVisible()
        ),
        "files": sorted(str(path) for path in package.rglob("*")),
        "clipboard": QApplication.clipboard().text(),
    }


def send(window, key: Qt.Key, modifiers: Modifier) -> None:
    """Send what Qt sends for a key: the question for shortcuts first, to the focus."""
    target = QApplication.focusWidget() or window
    text = chr(key.value).lower() if 32 < key.value < 127 else ""
    for kind in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        QApplication.sendEvent(target, QKeyEvent(kind, key.value, modifiers, text))


@pytest.fixture
def every_state(tmp_path, windows):
    """Yield nothing but lead a window to every state in turn."""
    package = make_package(tmp_path, Rules(break_trials=2), block=2)
    window = windows(package)

    def lead():
        for wanted in (
            *(State.INSTRUCTIONS, State.CONSENT, State.READY, State.VIEWING),
            *(State.CONFIDENCE, State.RATED, State.FEEDBACK, State.BREAK),
        ):
            go_to(window, wanted)
            yield wanted
        go_to(window, State.VIEWING)
        press(window, Key.Key_P)
        yield State.PAUSED
        press(window, Key.Key_P)
        go_to(window, State.FINISHED)
        yield State.FINISHED

    return window, package, lead


def test_every_key_with_every_modifier_is_swallowed_but_the_tests_own(every_state):
    window, package, lead = every_state
    visited = set()
    for wanted in lead():
        visited.add(wanted)
        QApplication.processEvents()
        before = everything(window, package)
        for modifiers in MODIFIERS:
            for key in Qt.Key:
                if key not in OWN[wanted] or modifiers not in (NONE, SHIFT):
                    send(window, key, modifiers)
            QApplication.processEvents()
            assert everything(window, package) == before, (wanted, modifiers)
    assert visited == set(OWN)


def test_a_held_key_answers_only_once(window):
    go_to(window, State.RATED)
    for _ in range(20):
        event = QKeyEvent(QEvent.Type.KeyPress, Key.Key_Return.value, NONE, "\r", True)
        QApplication.sendEvent(window, event)
    assert state(window) is State.RATED


def test_the_gate_opens_again_when_the_window_closes(window, qtbot):
    from qtpy.QtWidgets import QLineEdit

    window.close()
    line = QLineEdit()
    qtbot.addWidget(line)
    qtbot.keyClicks(line, "xyz")
    assert line.text() == "xyz"
