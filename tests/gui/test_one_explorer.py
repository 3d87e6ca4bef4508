"""A window has one explorer with one layer, however it is opened."""

import sys

import pytest
from gui_events import click, drop
from gui_menus import choose, close_panel, find_entry
from qtpy.QtCore import QTimer
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QDockWidget, QLabel

from napari_cowgan.data import show_data_panel
from napari_cowgan.explorer import ExplorerPanel, show_explorer
from napari_cowgan.explorer.panel import LatentExplorer
from napari_cowgan.training import TrainingPanel
from napari_cowgan.widgets.docked import DockedPanel, find_panel
from napari_cowgan.widgets.remembered import remember

MENU = ("Plugins", "CoW-GAN", "Latent explorer")


@pytest.fixture(autouse=True)
def small_model_first(small_model) -> None:
    remember("last_checkpoint", str(small_model))


def explorers(viewer) -> list[LatentExplorer]:
    return viewer.window._qt_window.findChildren(LatentExplorer)


def front(viewer) -> str:
    """Return the title of the front dock."""
    docks = viewer.window._qt_window.findChildren(QDockWidget)
    panels = [dock for dock in docks if isinstance(dock.widget(), DockedPanel)]
    (dock,) = (dock for dock in panels if not dock.visibleRegion().isEmpty())
    return dock.name


@pytest.fixture
def from_menu(viewer, qtbot, settle) -> LatentExplorer:
    choose(viewer, *MENU)
    qtbot.waitUntil(lambda: bool(explorers(viewer)), timeout=20_000)
    (explorer,) = explorers(viewer)
    settle(explorer)
    return explorer


def drop_model(viewer, model) -> None:
    drop(viewer.window._qt_viewer, model)


def drop_session(viewer, model) -> None:
    session = model.with_name("one.cowgan.json")
    explorers(viewer)[0].save_session(session)
    drop(viewer.window._qt_viewer, session)


def from_command_line(viewer, model) -> None:
    # As `napari -w napari-cowgan "Latent explorer"` does.
    viewer.window.add_plugin_dock_widget("napari-cowgan", "Latent explorer", tabify=True)


def from_menu_again(viewer, model) -> None:
    # napari's entries hide an open panel, even behind another tab.
    choose(viewer, *MENU)
    choose(viewer, *MENU)


def from_program(viewer, model) -> None:
    show_explorer(viewer)


def dock_under_another_title(viewer, model) -> None:
    viewer.window.add_dock_widget(ExplorerPanel(viewer), name="mine")


WAYS = [
    drop_model,
    drop_session,
    from_command_line,
    from_menu_again,
    from_program,
    dock_under_another_title,
]


def test_every_command_leads_to_the_one_explorer(viewer, from_menu, small_model, settle):
    layer = from_menu.shown.layer
    for seed, open_again in enumerate(WAYS):
        from_menu.model.set_seed(seed)
        show_data_panel(viewer)
        open_again(viewer, small_model)
        QTest.qWait(100)
        settle(from_menu)
        assert explorers(viewer) == [from_menu], open_again
        assert from_menu.model.latent.seed == seed, open_again
        assert list(viewer.layers) == [layer], open_again
        assert front(viewer) == "Latent explorer (CoW-GAN)", open_again
        assert find_entry(viewer, *MENU).isChecked(), open_again


@pytest.mark.parametrize("open_first", [from_command_line, dock_under_another_title])
def test_the_menu_leads_to_the_open_explorer(viewer, qtbot, settle, open_first):
    open_first(viewer, None)
    qtbot.waitUntil(lambda: bool(explorers(viewer)), timeout=20_000)
    (explorer,) = explorers(viewer)
    settle(explorer)
    if not find_entry(viewer, *MENU).isChecked():
        choose(viewer, *MENU)
        QTest.qWait(200)
    assert explorers(viewer) == [explorer]
    assert len(viewer.layers) == 1
    assert not explorer.visibleRegion().isEmpty()


def test_a_dropped_model_opens_the_explorer_of_the_menu(viewer, other_model, qtbot, settle):
    drop_model(viewer, other_model)
    qtbot.waitUntil(lambda: bool(explorers(viewer)), timeout=20_000)
    (explorer,) = explorers(viewer)
    qtbot.waitUntil(lambda: explorer.model.checkpoint is not None, timeout=20_000)
    qtbot.waitUntil(lambda: explorer.model.checkpoint.path == other_model, timeout=20_000)
    settle(explorer)
    assert find_entry(viewer, *MENU).isChecked()
    assert len(viewer.layers) == 1


@pytest.fixture
def slow_engine(tmp_path, monkeypatch) -> None:
    """Make an import slow, like the first import of PyTorch in a process."""
    (tmp_path / "slow_engine.py").write_text("import time\ntime.sleep(1)", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    for panel in (ExplorerPanel, TrainingPanel):
        monkeypatch.setattr(panel, "engine", ("slow_engine",))
    yield
    sys.modules.pop("slow_engine", None)


def test_the_window_responds_while_a_panel_loads(viewer, slow_engine, qtbot):
    choose(viewer, *MENU)
    panel = find_panel(viewer, ExplorerPanel)
    ticks = []
    timer = QTimer(interval=50)
    timer.timeout.connect(lambda: ticks.append(panel.findChild(QLabel).text()))
    timer.start()
    QTest.qWait(500)
    timer.stop()
    assert panel.explorer is None
    assert len(ticks) > 1
    assert all("Loading PyTorch" in tick for tick in ticks)
    qtbot.waitUntil(lambda: panel.explorer is not None, timeout=20_000)


def test_a_panel_may_be_closed_while_it_loads(viewer, slow_engine):
    choose(viewer, "Plugins", "CoW-GAN", "Training")
    panel = find_panel(viewer, TrainingPanel)
    assert panel.workbench is None
    close_panel(panel)
    QTest.qWait(1500)
    assert find_panel(viewer, TrainingPanel) is None


def test_pytorch_that_cannot_be_loaded_is_reported(viewer, problem, monkeypatch):
    monkeypatch.setattr(ExplorerPanel, "engine", ("torch_that_is_not_there",))
    choose(viewer, *MENU)
    panel = find_panel(viewer, ExplorerPanel)
    assert "Copy details" in problem(panel)
    assert "Loading" not in panel.findChild(QLabel).text()


def test_panels_of_the_menu_are_tabs(viewer, from_menu):
    for name in ("Data", "Training", "Turing study", "Artery legend"):
        choose(viewer, "Plugins", "CoW-GAN", name)
        QTest.qWait(100)
        assert front(viewer) == f"{name} (CoW-GAN)"
    dock = find_panel(viewer, ExplorerPanel).parentWidget()
    assert len(viewer.window._qt_window.tabifiedDockWidgets(dock)) == 4


def test_no_panel_opens_twice(viewer):
    titles = ("Data", "Training", "Turing study", "Artery legend")
    for title in titles:
        choose(viewer, "Plugins", "CoW-GAN", title)
    QTest.qWait(100)
    panels = list(viewer.window.dock_widgets.values())
    for title in titles:
        viewer.window.add_plugin_dock_widget("napari-cowgan", title, tabify=True)
        QTest.qWait(100)
        assert list(viewer.window.dock_widgets.values()) == panels
        assert front(viewer) == f"{title} (CoW-GAN)"


def test_two_viewers_have_an_explorer_each(make_napari_viewer, viewer, from_menu, qtbot, settle):
    second = make_napari_viewer(show=True)
    second.window.activate()
    choose(second, *MENU)
    qtbot.waitUntil(lambda: bool(explorers(second)), timeout=20_000)
    (other,) = explorers(second)
    settle(other)
    from_menu.model.set_seed(4)
    click(other.seed.next)
    settle(from_menu)
    settle(other)
    assert explorers(viewer) == [from_menu]
    assert [e.model.latent.seed for e in (from_menu, other)] == [4, 1]
    assert len(viewer.layers) == len(second.layers) == 1
