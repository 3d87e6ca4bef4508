"""From a reader's key to the picture, in a real window with volumes of the paper's size."""

import time
from pathlib import Path

import pytest
import turing_studies
from reading_windows import Key, go_to, make_package, open_window, press, state, wait_for

from cowgan.turing.reading.snapshot import State
from napari_cowgan.reading.presenter import BLANK_S
from napari_cowgan.reading.window import ReadingWindow


@pytest.fixture
def window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp) -> ReadingWindow:
    monkeypatch.setattr(turing_studies, "SHAPE", (32, 128, 128))
    window = open_window(make_package(tmp_path))
    yield window
    window.close()


def test_enter_to_next_case(benchmark, report, window: ReadingWindow):
    """Time from Enter to the drawn case, the blank screen included, and to the saved answer."""
    shown, saved = [], []

    def read() -> None:
        while state(window) is not State.FINISHED:
            if state(window) is State.READY:
                shown.append(_seconds_until(window, State.VIEWING))
            elif state(window) is State.RATED:
                saved.append(_seconds_until(window, *_AFTER_COMMIT))
            else:
                go_to(window, _NEXT.get(state(window), State.RATED))

    benchmark.pedantic(read, rounds=1)
    topic = "Reading window, 32 x 128 x 128 voxels"
    report(
        topic,
        f"Enter to the case drawn, {1e3 * BLANK_S:.0f} ms blank included",
        [1e3 * s for s in shown],
        "ms",
    )
    report(topic, "Enter to the answer on disk", [1e3 * s for s in saved], "ms")


_AFTER_COMMIT = (State.READY, State.FEEDBACK, State.INSTRUCTIONS, State.FINISHED)
_NEXT = {
    State.INSTRUCTIONS: State.READY,
    State.FEEDBACK: State.READY,
    State.BREAK: State.READY,
}


def _seconds_until(window: ReadingWindow, *wanted: State) -> float:
    start = time.perf_counter()
    press(window, Key.Key_Return)
    wait_for(lambda: state(window) in wanted)
    return time.perf_counter() - start
