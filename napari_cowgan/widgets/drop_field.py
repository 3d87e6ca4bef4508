"""A path field on which files and folders can be dropped."""

from qtpy.QtGui import QDragEnterEvent, QDropEvent

from napari_cowgan.widgets.drops import dropped_path
from napari_cowgan.widgets.fields import PathField


class DropField(PathField):
    """A `PathField` that takes the path that is dropped on it."""

    def __init__(self, key: str, placeholder: str, tooltip: str, filters: str = "") -> None:
        super().__init__(key, placeholder, f"{tooltip}; can also be dropped here", filters)
        self.setAcceptDrops(True)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept one file or folder."""
        if dropped_path(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Choose what is dropped."""
        path = dropped_path(event)
        if path is not None:
            event.acceptProposedAction()
            self.set_path(path)
