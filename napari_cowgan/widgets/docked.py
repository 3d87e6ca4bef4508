"""What the panels that napari docks have in common."""

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
    """A panel that napari docks: the only one of its kind in a window, and a tab among others.

    napari knows panels by the titles of their docks, which differ between its menus, its command
    line and scripts. So a panel that finds another of its kind in the window gives way to that one.
    A panel ends together with its dock, which napari takes it out of and keeps alive.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer in whose window the panel is.
    """

    dock_title: ClassVar[str]
    """The panel's name in the manifest."""

    least_width: ClassVar[int] = 280
    """In pixels; its content must not need more, beside a scroll bar."""

    def __init__(self, viewer: "napari.Viewer") -> None:
        super().__init__()
        self._viewer = viewer
        # Set, as a dock keeps for ever what its content has needed for a moment.
        self.setMinimumWidth(self.least_width)

    def event(self, event: QEvent) -> bool:
        """Take the right place once napari has docked the panel; end once it is taken out."""
        if event.type() == QEvent.Type.ParentChange:
            if self.parentWidget() is None:
                self.leave()
                self.deleteLater()
            else:
                # napari goes on with the dock after it has put the panel in.
                QTimer.singleShot(0, self._take_place)
        return super().event(event)

    def showEvent(self, event: QShowEvent) -> None:
        """Come to the front when napari's menu shows the panel again, also from behind a tab."""
        super().showEvent(event)
        dock = self.parentWidget()
        if not event.spontaneous() and isinstance(dock, QDockWidget):
            dock.raise_()

    def leave(self) -> None:
        """Let go of what would keep the panel alive; by default there is nothing."""

    def to_front(self) -> None:
        """Show the panel, in front of the other tabs."""
        dock = self.parentWidget()
        if isinstance(dock, QDockWidget):
            dock.show()
            dock.raise_()

    def _take_place(self) -> None:
        if self.parentWidget() is None:
            return
        elder = find_panel(self._viewer, type(self))
        if elder is not None and elder is not self:
            self._viewer.window.remove_dock_widget(self)
            elder.to_front()
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
    """Return the panel of a kind in the window of a viewer, None if there is none."""
    window = getattr(viewer, "window", None)  # a viewer model has none
    panels = window.dock_widgets.values() if window is not None else ()
    return next((panel for panel in panels if isinstance(panel, kind)), None)


def show_panel(viewer: "napari.Viewer", kind: type[Panel], area: Area = "right") -> Panel:
    """Return the panel of a kind in the window of a viewer, in front; open it if needed."""
    panel = find_panel(viewer, kind)
    if panel is None:
        panel = kind(viewer)
        # The title that napari's menu gives, so that the menu knows that the panel is open.
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
