"""Training panels for tests: a folder for runs, and waiting for what trains in it."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from napari.components import ViewerModel
from qtpy.QtWidgets import QWidget

from cowgan.training.remote_control import read_status
from napari_cowgan.training.workbench import Workbench
from napari_cowgan.widgets.remembered import remember

ENDLESS = 100_000
START_MS = 60_000
TINY = {
    "preset": "modern",
    "capacity": 1,
    "most_channels": 16,
    "batch": 2,
    "accumulate": 1,
    "steps": ENDLESS,
    "save_every": 10,
    "sample_every": 10,
    "training_precision": "fp32",
    "training_device": "cpu",
}


@contextmanager
def folder_for_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Let panels put runs into a folder; whatever is still at work in it is ended."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    # Its own test waits for it; the others need the processor.
    monkeypatch.setattr("napari_cowgan.training.new_run_group._ESTIMATE_AFTER_MS", 10**8)
    remember("training/runs", str(folder))
    for name, value in TINY.items():
        remember(f"training/{name}", value)
    yield folder
    for run in folder.glob("*/status.json"):
        status = read_status(run.parent)
        if status.active and status.pid != os.getpid():
            os.kill(status.pid, signal.SIGTERM)


def lone_panel(qtbot) -> Workbench:
    """Return a panel that stands alone, which suffices for most of what it does."""
    workbench = Workbench(ViewerModel())
    qtbot.addWidget(workbench)
    workbench.resize(400, 900)
    workbench.show()
    return workbench


def wait(qtbot, condition: Callable[[], object], timeout_ms: int = START_MS) -> None:
    qtbot.waitUntil(lambda: bool(condition()), timeout=timeout_ms)


def ended(panel: Workbench) -> Callable[[], bool]:
    return lambda: panel.watched.watcher is None and not panel.job.running


def fully_visible(widget: QWidget) -> bool:
    """Tell whether no part of a widget is scrolled away."""
    return widget.visibleRegion().boundingRect() == widget.rect()


def message_of(panel: Workbench) -> str:
    """Return how the panel says that the run has ended, without the places where it may wrap."""
    return panel.monitor.outcome.text().replace("\u200b", "")
