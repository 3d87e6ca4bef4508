"""Menu entries and panels of napari's window, operated as by a user."""

import napari
from gui_events import click
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QMenu, QMenuBar

from napari_cowgan.widgets.docked import DockedPanel


def find_entry(viewer: napari.Viewer, *path: str) -> QAction:
    """Return the menu entry whose texts along the way begin with the words of `path`."""
    menu: QMenuBar | QMenu = viewer.window._qt_window.menuBar()
    for word in path[:-1]:
        menu = _entry(menu, word).menu()
    return _entry(menu, path[-1])


def choose(viewer: napari.Viewer, *path: str) -> None:
    """Choose a menu entry."""
    find_entry(viewer, *path).trigger()


def close_panel(panel: DockedPanel) -> None:
    """Click the x of a panel."""
    click(panel.parentWidget().title.close_button)


def _entry(menu: QMenuBar | QMenu, word: str) -> QAction:
    if isinstance(menu, QMenu):
        # Only now does napari update check marks and enabled states.
        menu.aboutToShow.emit()
    return next(a for a in menu.actions() if a.text().replace("&", "").startswith(word))
