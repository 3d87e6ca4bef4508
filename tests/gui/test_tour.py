"""Bold names in the documentation are in the window, and the tour works as described."""

import re
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import documentation
import pytest
from gui_events import click
from gui_menus import choose, find_entry
from qtpy.QtGui import QKeySequence
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QGroupBox,
    QLabel,
    QMessageBox,
    QPushButton,
    QTabBar,
    QTreeWidget,
    QWidget,
)
from reading_windows import wait_for

from napari_cowgan.explorer import show_explorer
from napari_cowgan.explorer.dock import ExplorerPanel
from napari_cowgan.reading.texts import finished
from napari_cowgan.study import show_study_panel
from napari_cowgan.widgets.controls import Section
from napari_cowgan.widgets.docked import find_panel

TOUR = documentation.DOCS / "tutorials" / "tour.md"
PANELS = (
    "Latent explorer",
    "Segmentation",
    "Data",
    "Training",
    "Evaluation",
    "Turing study",
    "Artery legend",
    "Three planes",
)
PAGES = [
    page
    for folder in ("tutorials", "panels", "how-to")
    for page in sorted((documentation.DOCS / folder).glob("*.md"))
    if page.name != "reading.md"
]
_LOADED_S = 20
_WORD = re.compile(r"\*\*(?P<name>.+?)\*\*|\+\+(?P<keys>[a-z0-9+]+)\+\+", re.DOTALL)


def texts_of(widget: QWidget) -> Iterator[str]:
    """Yield the texts of a widget."""
    if isinstance(widget, Section):
        yield widget.text()[3:]
    elif isinstance(widget, QAbstractButton | QLabel):
        yield widget.text().replace("&", "")
    elif isinstance(widget, QComboBox):
        yield from (widget.itemText(row) for row in range(widget.count()))
    elif isinstance(widget, QTabBar):
        yield from (widget.tabText(tab).removesuffix(" (CoW-GAN)") for tab in range(widget.count()))
    elif isinstance(widget, QGroupBox):
        yield widget.title()
    elif isinstance(widget, QTreeWidget):
        head = widget.headerItem()
        yield from (head.text(column) for column in range(widget.columnCount()))


def test_every_bold_name_is_in_the_window(viewer):
    for title in PANELS:
        choose(viewer, "Plugins", "CoW-GAN", title)
    show_study_panel(viewer).plan_study()
    names = {
        name: page for page in PAGES for name in documentation.names(documentation.prose(page))
    }
    for path in [name for name in names if " > " in name]:
        find_entry(viewer, *path.split(" > "))
        del names[path]

    last_page = finished(Path())

    def missing() -> dict[str, str]:
        widgets = viewer.window._qt_window.findChildren(QWidget)
        written = {text for widget in widgets for text in texts_of(widget)}
        # The reading window is another program.
        written |= {last_page.go_on, last_page.other, *last_page.also}
        return {name: page.stem for name, page in names.items() if name not in written | {"bold"}}

    # Some panels are filled only when what they need has been loaded.
    end = monotonic() + _LOADED_S
    while missing() and monotonic() < end:
        QTest.qWait(100)
    assert missing() == {}


@pytest.mark.slow
def test_the_tour_works_as_described(viewer):
    tourist = Tourist(viewer)
    for word in _WORD.finditer(documentation.prose(TOUR)):
        name, keys = word["name"], word["keys"]
        if name not in (None, "bold"):
            tourist.use(" ".join(name.split()))
        elif keys not in (None, "f1"):
            tourist.press(keys)
        assert not [box for box in QApplication.allWidgets() if isinstance(box, QMessageBox)]
    explorer = show_explorer(viewer).explorer
    assert len(tourist.seeds) > 1
    assert len(explorer.favourites.favourites()) == 1
    assert set(viewer.window.dock_widgets) == {f"{title} (CoW-GAN)" for title in PANELS}
    assert {layer.name for layer in viewer.layers} > {"Synthetic TOF MRA"}


def opens_menu(button: QAbstractButton) -> bool:
    return isinstance(button, QPushButton) and button.menu() is not None


class Tourist:
    """A user who follows the tour, using everything it names in order."""

    def __init__(self, viewer) -> None:
        self._viewer = viewer
        self._window = viewer.window._qt_window
        self.seeds: set[int] = set()

    def use(self, name: str) -> None:
        """Choose a menu path, or click the widget with a name if it can be clicked."""
        if " > " in name:
            choose(self._viewer, *name.split(" > "))
            QTest.qWait(300)
        else:
            wait_for(lambda: self._named(name))
            self._click(self._named(name)[0])
        self._settle()

    def press(self, keys: str) -> None:
        """Press keys in the explorer."""
        panel = show_explorer(self._viewer)
        QTest.keySequence(panel.explorer, QKeySequence(keys))
        self._settle()

    def _named(self, name: str) -> list[QWidget]:
        """Return the widgets with a name, visible ones first."""
        widgets = self._window.findChildren(QWidget)
        named = [widget for widget in widgets if name in texts_of(widget)]
        return sorted(named, key=lambda widget: not widget.isVisible())

    def _click(self, widget: QWidget) -> None:
        if isinstance(widget, Section):
            if not widget.isExpanded():
                click(widget.toggleButton())
        elif isinstance(widget, QAbstractButton) and widget.isVisible() and not opens_menu(widget):
            click(widget)
        for dialog in self._window.findChildren(QDialog):
            if dialog.isVisible():
                dialog.close()

    def _settle(self) -> None:
        panel = find_panel(self._viewer, ExplorerPanel)
        if panel is not None:
            wait_for(lambda: panel.explorer is not None and panel.explorer.showing_complete_volume)
            self.seeds.add(panel.explorer.model.state.latent.seed)
