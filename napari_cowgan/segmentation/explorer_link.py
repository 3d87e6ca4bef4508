"""Link to the latent explorer of the same window, whose volume may be segmented."""

from typing import TYPE_CHECKING

from napari.layers import Image
from qtpy.QtCore import QObject, Signal

from cowgan.volume import Volume
from napari_cowgan.explorer import ExplorerPanel
from napari_cowgan.widgets.docked import find_panel

if TYPE_CHECKING:
    import napari

    from napari_cowgan.explorer.panel import LatentExplorer


class ExplorerLink(QObject):
    """The explorer of a viewer, if one is open, and the volume that it shows.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer.
    parent : QObject
        The panel.

    Signals
    -------
    completed
        The explorer has drawn its present state in full.
    changed
        An explorer was opened or closed.
    """

    completed = Signal()
    changed = Signal()

    def __init__(self, viewer: "napari.Viewer", parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._explorer: LatentExplorer | None = None
        self.refresh()

    @property
    def layer(self) -> Image | None:
        """The layer that shows the explorer's volume."""
        return None if self._explorer is None else self._explorer.shown.layer

    @property
    def volume(self) -> Volume | None:
        """The explorer's volume; None while it is drawing one, or shows a preview."""
        if self._explorer is None or not self._explorer.live.complete:
            return None
        drawn = self._explorer.live.drawn
        return None if drawn is None else drawn.volume

    def refresh(self) -> None:
        """Look for the explorer, which may have been opened or closed."""
        panel = find_panel(self._viewer, ExplorerPanel)
        explorer = None if panel is None else panel.explorer
        if explorer is self._explorer:
            return
        self._explorer = explorer
        if explorer is not None:
            explorer.live.status_changed.connect(self._on_drawn)
            explorer.destroyed.connect(self._on_closed)
        self.changed.emit()

    def _on_drawn(self) -> None:
        if self.volume is not None:
            self.completed.emit()

    def _on_closed(self) -> None:
        self._explorer = None
        self.changed.emit()
