"""Windows, panels and layers may go away at any time."""

import gc
import json
import os
import subprocess
import sys
import threading
import weakref
from collections import Counter
from pathlib import Path

import pytest
from gui_events import click
from gui_menus import close_panel
from qtpy.QtCore import QEvent, QPoint, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QMessageBox, QSlider

from cowgan.checkpoint import BUNDLED
from cowgan.errors import CowganError
from cowgan.synthesis.noise import noise_cube
from napari_cowgan.explorer import ExplorerPanel
from napari_cowgan.widgets.controls import Section
from napari_cowgan.widgets.docked import find_panel
from napari_cowgan.widgets.problems import show_problem
from napari_cowgan.widgets.remembered import remember


def own_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("cowgan-")]


def load(explorer, model, folder) -> None:
    explorer.open_checkpoint(model)


def search(explorer, model, folder) -> None:
    explorer.directions.search()


def export(explorer, model, folder) -> None:
    explorer.export.count.setValue(5000)
    explorer.export.export_many(folder / "out")


def drag(explorer, model, folder) -> None:
    inner = explorer.truncation.psi.slider.findChild(QSlider)
    middle = QPoint(inner.width() * 2 // 3, inner.height() // 2)
    QTest.mousePress(inner, Qt.MouseButton.LeftButton, pos=middle)
    for step in range(5):
        QTest.mouseMove(inner, middle - QPoint(10 * step, 0))


def draw_pictures(explorer, model, folder) -> None:
    for section in explorer.findChildren(Section):
        section.expand(animate=False)
    explorer.browser.browse("seeds")


def compare(explorer, model, folder) -> None:
    explorer.compare.keep("A")
    explorer.compare.keep("B")
    explorer.compare.side_by_side.click()


def ask(explorer, model, folder) -> None:
    explorer.export.volume.click()
    show_problem(explorer, CowganError("Something is wrong."))


def change_device(explorer, model, folder) -> None:
    box = explorer.checkpoint.precision
    box.setCurrentIndex(1)
    box.activated.emit(1)


WORK = [load, search, export, drag, draw_pictures, compare, ask, change_device]


@pytest.mark.parametrize("work", WORK)
@pytest.mark.parametrize("close", ["window", "panel"])
def test_closing_during_work_ends_every_thread(
    viewer, explorer, other_model, tmp_path, qtbot, work, close
):
    work(explorer, other_model, tmp_path)
    if close == "window":
        viewer.close()
    else:
        close_panel(find_panel(viewer, ExplorerPanel))
    qtbot.waitUntil(lambda: own_threads() == [], timeout=20_000)
    QTest.qWait(50)


def test_closing_during_pending_events_draws_nothing(viewer, explorer, qtbot):
    for seed in range(20):
        explorer.model.set_seed(seed)
        QApplication.processEvents()
    viewer.close()
    qtbot.waitUntil(lambda: own_threads() == [], timeout=20_000)
    QTest.qWait(100)


def test_closing_a_panel_frees_its_model(viewer, explorer, qtbot):
    for section in explorer.findChildren(Section):
        section.expand(animate=False)
    explorer.directions.search()
    synthesizer = weakref.ref(explorer.model.synthesizer)
    checkpoint = weakref.ref(explorer.model.checkpoint)
    close_panel(find_panel(viewer, ExplorerPanel))
    qtbot.waitUntil(lambda: own_threads() == [], timeout=20_000)
    # The fixture holds on to the widget; nothing else may.
    explorer.__dict__.clear()
    del explorer

    def freed() -> bool:
        gc.collect()
        return synthesizer() is None and checkpoint() is None

    qtbot.waitUntil(freed, timeout=10_000)


def own_objects() -> Counter[str]:
    """Count all that this program has made and Python still holds, and all widgets of Qt."""
    # The newest are kept on purpose.
    noise_cube.cache_clear()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()
    kinds = (type(thing) for thing in gc.get_objects())
    own = Counter(
        f"{kind.__module__}.{kind.__qualname__}"
        for kind in kinds
        if str(kind.__module__).startswith(("cowgan.", "napari_cowgan."))
    )
    return own + Counter(widgets=len(QApplication.allWidgets()))


def test_closing_a_panel_leaves_nothing_behind(viewer, small_model, open_explorer, qtbot):
    remember("last_checkpoint", str(small_model))

    def open_and_close() -> None:
        explorer = open_explorer(viewer)
        for section in explorer.findChildren(Section):
            section.expand(animate=False)
        compare(explorer, None, None)
        explorer.model.step_seed(1)
        close_panel(find_panel(viewer, ExplorerPanel))
        viewer.layers.clear()
        qtbot.waitUntil(lambda: own_threads() == [], timeout=20_000)

    # What the first one leaves is kept for the next ones.
    open_and_close()
    before = own_objects()
    for _ in range(2):
        open_and_close()

    def assert_nothing_left() -> None:
        assert own_objects() - before == Counter()

    qtbot.waitUntil(assert_nothing_left, timeout=10_000)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")
def test_the_explorer_grows_no_more_than_a_plain_dock():
    """napari's layer controls grow by themselves, and memory is returned page by page only."""
    script = Path(__file__).parents[1] / "explorer_cycles.py"
    result = subprocess.run(
        [sys.executable, script, BUNDLED, "20"],
        capture_output=True,
        encoding="utf-8",
        timeout=900,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            # Otherwise each thread that ends may leave a heap of its own.
            "MALLOC_ARENA_MAX": "1",
        },
        check=False,
    )
    assert result.returncode == 0, result.stderr
    growth_mb = json.loads(result.stdout.splitlines()[-1])
    assert growth_mb["explorer"] < growth_mb["plain"] + 1, growth_mb


def test_the_panel_opens_and_closes_many_times(viewer, explorer, open_explorer, settle, qtbot):
    for _ in range(4):
        close_panel(find_panel(viewer, ExplorerPanel))
        explorer = open_explorer(viewer)
    qtbot.waitUntil(
        lambda: sorted(own_threads()) == ["cowgan-renderer", "cowgan-thumbnails"], timeout=20_000
    )
    click(explorer.seed.next)
    settle(explorer)
    assert explorer.model.latent.seed == 1


def test_two_windows_have_two_explorers(
    make_napari_viewer, viewer, explorer, open_explorer, settle
):
    second = make_napari_viewer(show=True)
    other = open_explorer(second)
    other.model.set_seed(9)
    settle(other)
    assert explorer.model.latent.seed == 0
    assert len(viewer.layers) == len(second.layers) == 1


def test_the_layer_can_be_renamed_moved_or_deleted(viewer, explorer, settle):
    explorer.shown.layer.name = "mine"
    viewer.add_points([[0, 0, 0]])
    viewer.layers.move(0, 2)
    explorer.model.step_seed(1)
    settle(explorer)
    assert {layer.name for layer in viewer.layers} == {"mine", "Points"}
    viewer.layers.clear()
    explorer.model.step_seed(1)
    settle(explorer)
    assert len(viewer.layers) == 1
    assert explorer.shown.layer in viewer.layers


def test_layers_can_be_deleted_while_comparing(viewer, explorer, settle, qtbot):
    compare(explorer, None, None)
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=20_000)
    viewer.layers.clear()
    explorer.compare.side_by_side.click()
    explorer.model.step_seed(1)
    settle(explorer)
    assert len(viewer.layers) == 1
    explorer.compare.side_by_side.click()
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=20_000)


def test_the_theme_may_change_at_any_time(viewer, explorer, settle):
    for theme in ("light", "dark"):
        viewer.theme = theme
        QTest.qWait(50)
        explorer.model.step_seed(1)
        settle(explorer)
    picture = explorer.seed.dice.grab().toImage()
    colours = {picture.pixelColor(x, 12).name() for x in range(picture.width())}
    assert len(colours) > 1, "the icon is not drawn"


def test_a_result_of_the_previous_model_is_not_drawn(lone_explorer, other_model, qtbot, settle):
    stale = lone_explorer.live.drawn
    lone_explorer.open_checkpoint(other_model)
    qtbot.waitUntil(lambda: lone_explorer.model.checkpoint.path == other_model, timeout=20_000)
    settle(lone_explorer)
    shown = lone_explorer.shown.layer.data
    lone_explorer.live.renderer._result = stale
    lone_explorer.live.renderer.ready.emit()
    QTest.qWait(20)
    assert lone_explorer.shown.layer.data is shown


def test_closed_dialogs_are_deleted(lone_explorer, qtbot):
    for _ in range(3):
        show_problem(lone_explorer, CowganError("Something is wrong."))
        (box,) = lone_explorer.findChildren(QMessageBox)
        box.close()
        qtbot.waitUntil(lambda: not lone_explorer.findChildren(QMessageBox), timeout=5000)
