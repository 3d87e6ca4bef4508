"""How long the window stands still while a person opens the explorer and drags a slider.

Run by ``test_gui_latency.py`` in a process of its own, since the first opening imports PyTorch:
``python tests/benchmarks/event_loop.py`` prints milliseconds as JSON.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

# Before Qt and napari read it: favourites and settings of a person are none of this.
os.environ["HOME"] = tempfile.mkdtemp()
sys.path.append(str(Path(__file__).parents[1]))

import napari
from gui_events import drag
from gui_menus import choose
from qtpy.QtCore import QObject, Qt, QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QSlider

from napari_cowgan.explorer import ExplorerPanel
from napari_cowgan.widgets.docked import find_panel
from napari_cowgan.widgets.remembered import settings

_TICK_S = 0.005
_PATIENCE_S = 300
_DRAG_STEPS, _DRAG_PX = 100, 60


class DelayMeter(QObject):
    """Notes by how much a timer of 5 ms is late, each time: what a person's click would wait."""

    def __init__(self) -> None:
        super().__init__()
        self.delays_ms: list[float] = []
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._last = time.perf_counter()
        self._timer.start(round(1e3 * _TICK_S))

    def stop(self) -> list[float]:
        """Stop, and return the delays."""
        self._timer.stop()
        self._tick()
        return self.delays_ms

    def _tick(self) -> None:
        now = time.perf_counter()
        self.delays_ms.append(1e3 * max(now - self._last - _TICK_S, 0.0))
        self._last = now


def wait_for(condition: Callable[[], object]) -> None:
    """Let the window work until something is so."""
    end = time.monotonic() + _PATIENCE_S
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("The explorer did not get ready.")
        QTest.qWait(20)


def main() -> None:
    """Open the explorer from the menu, drag a slider, and print the delays."""
    settings().clear()
    viewer = napari.Viewer()
    viewer.window.resize(1600, 1000)
    QTest.qWait(1500)
    meter = DelayMeter()
    start = time.perf_counter()
    choose(viewer, "Plugins", "CoW-GAN", "Latent explorer")
    panel_ms = 1e3 * (time.perf_counter() - start)
    panel = find_panel(viewer, ExplorerPanel)
    wait_for(lambda: panel.explorer and panel.explorer.showing_complete_volume)
    opened_ms = 1e3 * (time.perf_counter() - start)
    opening = meter.stop()
    explorer = panel.explorer
    wait_for(lambda: explorer.directions.rows)
    QTest.qWait(1000)
    meter = DelayMeter()
    for _ in range(3):
        drag(explorer.directions.rows[0].slider.findChild(QSlider), _DRAG_STEPS, _DRAG_PX)
    dragging = meter.stop()
    viewer.close()
    figures = {
        "panel": [panel_ms],
        "opened": [opened_ms],
        "opening": opening,
        "dragging": dragging,
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
