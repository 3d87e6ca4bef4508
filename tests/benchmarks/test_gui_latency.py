"""From a slider's movement to the layer on screen, in a real window."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from qtpy.QtTest import QTest

from napari_cowgan.explorer import show_explorer
from napari_cowgan.explorer.panel import LatentExplorer
from napari_cowgan.widgets.remembered import settings

MOVES = 30


@pytest.fixture
def explorer(make_napari_viewer) -> LatentExplorer:
    settings().clear()
    viewer = make_napari_viewer(show=True)
    panel = show_explorer(viewer)
    wait_for(lambda: panel.explorer)
    widget = panel.explorer
    wait_for(lambda: widget.showing_complete_volume and widget.directions.rows)
    return widget


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        QTest.qWait(1)


def test_slider_to_layer(benchmark, report, explorer: LatentExplorer):
    """Time until the layer holds the first picture of a new value, and the complete one."""
    slider = explorer.directions.rows[0].slider
    layer = explorer.shown.layer
    first, complete = [], []

    def move(value: float) -> None:
        before = layer.data
        start = time.perf_counter()
        slider.setValue(value)
        wait_for(lambda: layer.data is not before)
        first.append(1e3 * (time.perf_counter() - start))
        wait_for(lambda: explorer.showing_complete_volume)
        complete.append(1e3 * (time.perf_counter() - start))

    def moves() -> None:
        for i in range(MOVES):
            move(-2.5 + 5 * i / MOVES)
            QTest.qWait(50)

    benchmark.pedantic(moves, rounds=1)
    topic = "Slider to layer, bundled model, in a window"
    report(topic, "first picture (a preview if the volume takes long)", first, "ms")
    report(topic, "complete volume", complete, "ms")


def test_opening_the_panel(benchmark, report, make_napari_viewer):
    """Time from asking for the panel to the first volume, torch already imported."""
    settings().clear()
    viewer = make_napari_viewer(show=True)
    seconds: list[float] = []

    def open_panel() -> None:
        start = time.perf_counter()
        panel = show_explorer(viewer)
        wait_for(lambda: panel.explorer and panel.explorer.shown.layer is not None)
        seconds.append(1e3 * (time.perf_counter() - start))

    benchmark.pedantic(open_panel, rounds=1)
    report("Panel to first volume, bundled model", "without importing torch", seconds, "ms")


def test_event_loop_delay(benchmark, report):
    """Delays of a click at the first opening from the menu, and during a drag."""

    def measure() -> dict[str, list[float]]:
        program = Path(__file__).with_name("event_loop.py")
        done = subprocess.run(
            [sys.executable, program], check=True, capture_output=True, encoding="utf-8"
        )
        return json.loads(done.stdout.splitlines()[-1])

    figures = benchmark.pedantic(measure, rounds=1)
    topic = "Event loop, first opening from the menu, bundled model"
    report(topic, "until the panel is there", figures["panel"], "ms")
    report(topic, "until the first complete volume", figures["opened"], "ms")
    for name in ("opening", "dragging"):
        delays = sorted(figures[name])
        report(topic, f"delay while {name}, 95th percentile", [percentile(delays, 0.95)], "ms")
        report(topic, f"delay while {name}, longest", [delays[-1]], "ms")


def percentile(ordered: list[float], share: float) -> float:
    return ordered[min(round(share * len(ordered)), len(ordered) - 1)]
