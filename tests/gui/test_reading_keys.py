"""The gate: no key but the test's own does anything, in any state."""

from dataclasses import asdict
from functools import reduce
from itertools import combinations
from operator import or_

import pytest
from qtpy.QtCore import QEvent, Qt
from qtpy.QtGui import QKeyEvent
from qtpy.QtWidgets import QApplication, QDockWidget, QMenu
from reading_windows import Key, go_to, make_package, press, state

from cowgan.turing.design.trials import Rules
from cowgan.turing.reading.records import read_journal
from cowgan.turing.reading.snapshot import State

Modifier = Qt.KeyboardModifier
NONE, SHIFT, KEYPAD = Modifier.NoModifier, Modifier.ShiftModifier, Modifier.KeypadModifier
_HELD = (SHIFT, Modifier.ControlModifier, Modifier.AltModifier, Modifier.MetaModifier)
MODIFIERS = [
    *(reduce(or_, held, NONE) for count in range(5) for held in combinations(_HELD, count)),
    KEYPAD,
    Modifier.GroupSwitchModifier,
]
KEYS = [*(key.value for key in Qt.Key), *map(ord, "РГéß")]
"""Every key that Qt has a name for, and some that it has none for."""
GO_ON = {Key.Key_Return, Key.Key_Enter, Key.Key_Space}
TAB = {Key.Key_Tab, Key.Key_Backtab}
VIEW = {"cursor", "dims", "scene"}
COMMON = {Key.Key_F1, Key.Key_F11} | GO_ON | TAB
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
"""Keys that do something in each state, without modifiers, with Shift or on a number pad."""


def untouchable_state(window):
    """Return all state that no key may change."""
    models = [pane.model for pane in window.trial_page.image.panes]
    layers = [layer for model in models for layer in model.layers]
    inner = [widget for kind in (QDockWidget, QMenu) for widget in window.findChildren(kind)]
    outer = [widget for widget in QApplication.topLevelWidgets() if widget.isVisible()]
    return {
        "modes": [layer.mode for layer in layers],
        "layers": [settings_of(layer, "contrast_limits", "visible") for layer in layers],
        "napari": [repr(model.model_dump(exclude=VIEW | {"layers"})) for model in models],
        "axes": [(model.dims.order, model.dims.rollable) for model in models],
        "docks and menus": [widget.isVisible() for widget in inner],
        "windows": sorted(type(widget).__name__ for widget in outer),
        "clipboard": QApplication.clipboard().text(),
        "problem": window.failure,
    }


def full_state(window, package):
    """Return all state that a key could change."""
    models = [pane.model for pane in window.trial_page.image.panes]
    session = window.reading.session
    return untouchable_state(window) | {
        "state": (session.state, asdict(session.snapshot) | {"latest_ns": 0}),
        "view": window.trial_page.image.view,
        "scenes": [repr(model.model_dump(include=VIEW)) for model in models],
        "layers": [settings_of(layer) for model in models for layer in model.layers],
        "voxels": [layer.data.tobytes() for model in models for layer in model.layers],
        "window": (window.windowState(), window.geometry(), window.stack.currentIndex()),
        "focus": QApplication.focusWidget(),
        # What a case on screen writes every other second is no key's doing.
        "journal": [
            record
            for record in read_journal(package / "journal.jsonl")
            if record.kind != "interaction"
        ],
        "files": sorted(str(path) for path in package.rglob("*")),
    }


def settings_of(layer, *but):
    """Return all that napari would save of a layer, apart from its voxels."""
    _, settings, kind = layer.as_layer_data_tuple()
    return kind, repr({name: value for name, value in settings.items() if name not in but})


def send(window, key: int, modifiers: Modifier) -> None:
    """Send what Qt sends for a key: the question for shortcuts first, to the focus."""
    target = QApplication.focusWidget() or window
    text = chr(key).lower() if 32 < key < 0x1000 else ""
    for kind in (QEvent.Type.ShortcutOverride, QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        QApplication.sendEvent(target, QKeyEvent(kind, key, modifiers, text))


@pytest.fixture
def every_state(tmp_path, windows, browsed):
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


def test_all_other_keys_are_swallowed_with_every_modifier(every_state):
    window, package, lead = every_state
    visited = set()
    for wanted in lead():
        visited.add(wanted)
        QApplication.processEvents()
        before = full_state(window, package)
        for modifiers in MODIFIERS:
            for key in KEYS:
                if key not in OWN[wanted] or modifiers not in (NONE, SHIFT, KEYPAD):
                    send(window, key, modifiers)
            assert state(window) is wanted, modifiers
        QApplication.processEvents()
        assert full_state(window, package) == before, wanted
    assert visited == set(OWN)


def test_keys_of_the_reading_change_only_the_reading(every_state):
    window, _, lead = every_state
    for wanted in lead():
        before = untouchable_state(window)
        for key in sorted(OWN[wanted] - GO_ON - TAB):
            twice = key in (Key.Key_P, Key.Key_F11)
            press(window, *[key] * (1 + twice))
        QApplication.processEvents()
        assert untouchable_state(window) == before, wanted


def test_a_held_key_answers_only_once(window):
    go_to(window, State.RATED)
    for _ in range(20):
        event = QKeyEvent(QEvent.Type.KeyPress, Key.Key_Return.value, NONE, "\r", True)
        QApplication.sendEvent(window, event)
    assert state(window) is State.RATED


def test_keys_work_again_when_the_window_closes(window, qtbot):
    from qtpy.QtWidgets import QLineEdit

    window.close()
    line = QLineEdit()
    qtbot.addWidget(line)
    qtbot.keyClicks(line, "xyz")
    assert line.text() == "xyz"
