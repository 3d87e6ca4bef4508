"""The strip of key frames."""

from collections.abc import Sequence

from qtpy.QtCore import QEvent, QObject, QSize, Qt, Signal
from qtpy.QtGui import QIcon, QKeyEvent, QShowEvent
from qtpy.QtWidgets import QAbstractItemView, QListView, QListWidget, QListWidgetItem
from superqt.utils import signals_blocked

from cowgan.latent.movies import Keyframe
from napari_cowgan.explorer.explorer_model import ExplorerModel
from napari_cowgan.explorer.thumbnails import Thumbnails

_KEYFRAME = Qt.ItemDataRole.UserRole
_ICON = 72


class KeyframeStrip(QListWidget):
    """Thumbnails of key frames in order; the selected one is shown and edited.

    Signals
    -------
    chosen : int
        The user selected a key frame, to show it.
    reordered
        The user dragged a key frame, or moved it by Ctrl and an arrow key.
    remove_wanted
        The user pressed Delete.
    """

    chosen = Signal(int)
    reordered = Signal()
    remove_wanted = Signal()

    def __init__(self, model: ExplorerModel, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._model = model
        self._thumbnails = thumbnails
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        # Otherwise icon mode moves the thumbnails but not their order.
        self.setMovement(QListView.Movement.Static)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setIconSize(QSize(_ICON, _ICON))
        self.setGridSize(QSize(_ICON + 12, _ICON + 26))
        self.setFixedHeight(_ICON + 46)
        self.setAccessibleName("Key frames")
        self.setToolTip(
            "Click to show a key frame, drag it or press Ctrl and an arrow key to move it, Del to "
            "remove it"
        )
        self.installEventFilter(self)
        self.itemClicked.connect(lambda item: self.chosen.emit(self.row(item)))
        self.itemActivated.connect(lambda item: self.chosen.emit(self.row(item)))
        self.model().rowsMoved.connect(self.reordered)
        thumbnails.changed.connect(self._show_pictures)

    def keyframes(self) -> tuple[Keyframe, ...]:
        """Return the key frames in order."""
        return tuple(self.item(i).data(_KEYFRAME) for i in range(self.count()))

    def fill(self, keyframes: Sequence[Keyframe], frames_per_second: int) -> None:
        """Show other key frames; the selection stays at its place."""
        current = self.currentRow()
        pictures = {
            self.item(i).data(_KEYFRAME).state: self.item(i).icon() for i in range(self.count())
        }
        with signals_blocked(self):
            self.clear()
            for number, keyframe in enumerate(keyframes, start=1):
                seconds = keyframe.frames / frames_per_second
                item = QListWidgetItem(f"{number}: {seconds:.1f} s")
                item.setData(_KEYFRAME, keyframe)
                item.setIcon(pictures.get(keyframe.state, QIcon()))
                self.addItem(item)
            self.setCurrentRow(min(max(current, 0), len(keyframes) - 1))
        self._show_pictures()

    def showEvent(self, event: QShowEvent) -> None:
        """Request thumbnails once they are visible."""
        super().showEvent(event)
        self._show_pictures()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Remove on Delete, and move on Ctrl and an arrow key."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
                self.remove_wanted.emit()
                return True
            step = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
            if step is not None and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
                self._move_current(step)
                return True
        return super().eventFilter(watched, event)

    def _move_current(self, step: int) -> None:
        here = self.currentRow()
        there = here + step
        if here < 0 or not 0 <= there < self.count():
            return
        self.insertItem(there, self.takeItem(here))
        self.setCurrentRow(there)
        self.reordered.emit()

    def _show_pictures(self) -> None:
        synthesizer = self._model.synthesizer
        if synthesizer is None or not self.isVisible():
            return
        for i in range(self.count()):
            item = self.item(i)
            if item.icon().isNull():
                state = item.data(_KEYFRAME).state
                pixmap = self._thumbnails.get(synthesizer, state, (self, i))
                if pixmap is not None:
                    item.setIcon(QIcon(pixmap))
