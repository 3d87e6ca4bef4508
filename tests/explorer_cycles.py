"""Open and close the explorer many times, and report the memory cost of each cycle.

Usage: ``python explorer_cycles.py MODEL CYCLES``, on a display. Prints MB for each opening, once
the allocator has given back what is free: of a dock with an image layer and nothing of
this program, and of the explorer.
"""

import ctypes
import gc
import json
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path

# Before Qt and napari read it.
os.environ["HOME"] = tempfile.mkdtemp()

import napari
import numpy as np
from qtpy.QtCore import QEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget

from napari_cowgan.explorer import ExplorerPanel, show_explorer
from napari_cowgan.widgets.docked import find_panel
from napari_cowgan.widgets.remembered import remember

_WARM_UP = 5


def _wait_for(condition: Callable[[], object]) -> None:
    for _ in range(6000):
        if condition():
            return
        QTest.qWait(10)
    raise SystemExit("it did not finish in time")


def _resident_mb() -> float:
    for _ in range(3):
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
        QApplication.processEvents()
        gc.collect()
    ctypes.CDLL("libc.so.6").malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def _growth_mb(cycle: Callable[[], None], cycles: int) -> float:
    for _ in range(_WARM_UP):
        cycle()
    before = _resident_mb()
    for _ in range(cycles):
        cycle()
    return (_resident_mb() - before) / cycles


def main(model: str, cycles: int) -> None:
    remember("last_checkpoint", model)
    viewer = napari.Viewer()

    def plain() -> None:
        dock = QWidget()
        viewer.window.add_dock_widget(dock, name="plain")
        viewer.add_image(np.random.default_rng(0).random((16, 32, 32), np.float32))
        viewer.dims.ndisplay = 3
        QTest.qWait(50)
        viewer.window.remove_dock_widget(dock)
        dock.deleteLater()
        viewer.layers.clear()

    def explorer() -> None:
        panel = show_explorer(viewer)
        _wait_for(lambda: panel.explorer is not None and panel.explorer.showing_complete_volume)
        _wait_for(lambda: panel.explorer.directions.rows)
        viewer.window.remove_dock_widget(panel)
        viewer.layers.clear()
        _wait_for(lambda: not any(t.name.startswith("cowgan-") for t in threading.enumerate()))
        assert find_panel(viewer, ExplorerPanel) is None

    print(
        json.dumps({"plain": _growth_mb(plain, cycles), "explorer": _growth_mb(explorer, cycles)})
    )
    viewer.close()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
