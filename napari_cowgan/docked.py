"""What the panels that napari docks have in common."""

from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QWidget


class DockedPanel(QWidget):
    """A panel that ends together with its dock, which napari takes it out of and keeps alive."""

    def event(self, event: QEvent) -> bool:
        """End once napari has taken the panel out of its dock."""
        if event.type() == QEvent.Type.ParentChange and self.parentWidget() is None:
            self.leave()
            self.deleteLater()
        return super().event(event)

    def leave(self) -> None:
        """Let go of what would keep the panel alive; by default there is nothing."""
