"""The base class of the panels that napari docks."""

from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar

from qtpy.QtCore import QEvent, QTimer
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QDockWidget, QMainWindow, QWidget

if TYPE_CHECKING:
    import napari

_PLUGIN_TITLE = "CoW-GAN"

Area = Literal["left", "right", "top", "bottom"]
Panel = TypeVar("Panel", bound="DockedPanel")


class DockedPanel(QWidget):
    """A docked panel: at most one of its kind in a window, tabbed with the others.

    napari identifies panels by the titles of their docks, which differ between its menus, command
    line and scripts. So a panel that finds another of its kind in the window removes itself.
    napari keeps a panel alive when it closes its dock, so the panel deletes itself.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer whose window holds the panel.
    """

    dock_title: ClassVar[str]
    """The panel's name in the manifest."""

    least_width: ClassVar[int] = 280
    """In pixels; the content and a scroll bar must fit."""

    def __init__(self, viewer: "napari.Viewer") -> None:
        super().__init__()
        self._viewer = viewer
        # Explicit, because a dock never gives back width that its content once needed.
        self.setMinimumWidth(self.least_width)

    def event(self, event: QEvent) -> bool:
        """Take its place once napari has docked the panel; delete it once its dock closes."""
        if event.type() == QEvent.Type.ParentChange:
            if self.parentWidget() is None:
                self.leave()
                self.deleteLater()
            else:
                # napari is not finished with the dock when it inserts the panel.
                QTimer.singleShot(0, self._take_place)
        return super().event(event)

    def showEvent(self, event: QShowEvent) -> None:
        """Come to the front when napari's menu shows the panel, even from behind another tab."""
        super().showEvent(event)
        dock = self.parentWidget()
        if not event.spontaneous() and isinstance(dock, QDockWidget):
            dock.raise_()

    def leave(self) -> None:
        """Release what would keep the panel alive; nothing by default."""

    def to_front(self) -> None:
        """Show the panel, in front of the other tabs."""
        dock = self.parentWidget()
        if isinstance(dock, QDockWidget):
            dock.show()
            dock.raise_()

    def _take_place(self) -> None:
        if self.parentWidget() is None:
            return
        existing = find_panel(self._viewer, type(self))
        if existing is not None and existing is not self:
            self._viewer.window.remove_dock_widget(self)
            existing.to_front()
        else:
            self._become_tab()

    def _become_tab(self) -> None:
        dock, window = self.parentWidget(), self.window()
        if not isinstance(dock, QDockWidget) or not isinstance(window, QMainWindow):
            return
        others = [
            other
            for panel in self._viewer.window.dock_widgets.values()
            if isinstance(other := _native(panel).parentWidget(), QDockWidget)
            and other is not dock
            and not other.isFloating()
            and not other.isHidden()
            and window.dockWidgetArea(other) == window.dockWidgetArea(dock)
        ]
        if others and not window.tabifiedDockWidgets(dock):
            window.tabifyDockWidget(others[-1], dock)
            self.to_front()


def find_panel(viewer: "napari.Viewer", kind: type[Panel]) -> Panel | None:
    """Return the panel of a class in a viewer's window; None if there is none."""
    window = getattr(viewer, "window", None)  # a ViewerModel has none
    panels = window.dock_widgets.values() if window is not None else ()
    return next((panel for panel in panels if isinstance(panel, kind)), None)


def show_panel(viewer: "napari.Viewer", kind: type[Panel], area: Area = "right") -> Panel:
    """Return the panel of a class in a viewer's window, in front; open it if needed."""
    panel = find_panel(viewer, kind)
    if panel is None:
        panel = kind(viewer)
        # The title that napari's menu uses, so that the menu knows that the panel is open.
        viewer.window.add_dock_widget(
            panel, name=f"{kind.dock_title} ({_PLUGIN_TITLE})", area=area, tabify=True
        )
    panel.to_front()
    return panel


def _native(panel: object) -> QWidget:
    """Return the Qt widget of a panel, which may be one of magicgui's."""
    native = getattr(panel, "native", panel)
    assert isinstance(native, QWidget)
    return native
