"""The strip of favourite volumes."""

from qtpy.QtCore import QEvent, QItemSelectionModel, QObject, QSize, Qt
from qtpy.QtGui import QIcon, QKeyEvent, QShowEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QListView,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

from cowgan.errors import CowganError
from cowgan.synthesis import LatentState
from napari_cowgan.explorer.explorer_model import ExplorerModel
from napari_cowgan.explorer.favourites import Favourite, read_favourites, write_favourites
from napari_cowgan.explorer.thumbnails import Thumbnails
from napari_cowgan.explorer.undo import Change
from napari_cowgan.widgets.controls import hint, plain_tooltip, row, text_button
from napari_cowgan.widgets.problems import show_problem

_STATE = Qt.ItemDataRole.UserRole
_ICON = 72


class FavouritesGroup(QWidget):
    """Thumbnails with names; click to show, F2 to rename, Del to remove, drag to reorder."""

    def __init__(self, model: ExplorerModel, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._model = model
        self._thumbnails = thumbnails
        self._checkpoint = model.checkpoint
        self._noted: list[Favourite] = []
        self.add = text_button("Add this volume", "Add the current volume to the favourites")
        self.remove = text_button("Remove", "Remove the selected favourites (Del)")
        self.empty = hint("No favourites yet. They are kept for this model.")
        self.strip = QListWidget()
        self.strip.setViewMode(QListView.ViewMode.IconMode)
        self.strip.setFlow(QListView.Flow.LeftToRight)
        self.strip.setWrapping(False)
        # Otherwise icon mode moves the thumbnails but not their order.
        self.strip.setMovement(QListView.Movement.Static)
        self.strip.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.strip.setIconSize(QSize(_ICON, _ICON))
        self.strip.setGridSize(QSize(_ICON + 12, _ICON + 26))
        self.strip.setFixedHeight(_ICON + 46)
        self.strip.setEditTriggers(
            QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.DoubleClicked
        )
        self.strip.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.strip.setToolTip("Click to show, F2 or double-click the name to rename, Del to remove")
        self.strip.installEventFilter(self)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.empty)
        layout.addWidget(self.strip)
        layout.addLayout(row(self.add, self.remove))
        self.add.clicked.connect(self.add_current)
        self.remove.clicked.connect(self.remove_selected)
        self.strip.itemClicked.connect(self._on_click)
        self.strip.itemChanged.connect(lambda: self._note("rename favourite"))
        self.strip.model().rowsMoved.connect(lambda: self._note("order of favourites"))
        self.strip.itemSelectionChanged.connect(self._refresh_buttons)
        model.model_changed.connect(self._on_model)
        thumbnails.changed.connect(self._show_pictures)
        self.strip.itemDelegate().closeEditor.connect(self._show_pictures)
        self._refresh_buttons()
        self._on_model()

    def favourites(self) -> list[Favourite]:
        """Return the favourites in the strip, in order."""
        items = (self.strip.item(i) for i in range(self.strip.count()))
        return [Favourite(item.text(), item.data(_STATE)) for item in items]

    def edit_favourites(self, favourites: list[Favourite], text: str) -> None:
        """Replace the favourites, as an undoable step, and store them."""
        if favourites != self._noted:
            self._model.undo_stack.push(Change(text, self._noted, favourites, self._set))

    def add_current(self) -> None:
        """Add the shown volume."""
        latent = self._model.latent
        added = Favourite(f"Seed {latent.seed}", latent)
        self.edit_favourites([*self._noted, added], "add favourite")
        self.strip.scrollToItem(self.strip.item(self.strip.count() - 1))

    def remove_selected(self) -> None:
        """Remove the selected favourites."""
        gone = {self.strip.row(item) for item in self.strip.selectedItems()}
        kept = [favourite for i, favourite in enumerate(self._noted) if i not in gone]
        self.edit_favourites(kept, "remove favourites")

    def showEvent(self, event: QShowEvent) -> None:
        """Request thumbnails once they are visible."""
        super().showEvent(event)
        self._show_pictures()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Remove on Delete and show on Return, except while a name is being edited."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() == QEvent.Type.KeyPress
            and not self._editing
        ):
            if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
                self.remove_selected()
                return True
            chosen = self.strip.currentItem()
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and chosen is not None:
                self._take(chosen)
                return True
        return super().eventFilter(watched, event)

    @property
    def _editing(self) -> bool:
        return self.strip.state() == QAbstractItemView.State.EditingState

    def _on_model(self) -> None:
        checkpoint = self._model.checkpoint
        self.setEnabled(checkpoint is not None)
        if checkpoint is self._checkpoint:
            return
        self._checkpoint = checkpoint
        favourites: list[Favourite] = []
        if checkpoint is not None:
            try:
                favourites = read_favourites(checkpoint)
            except CowganError as error:
                show_problem(self, error)
        self._fill(favourites)

    def _note(self, text: str) -> None:
        """Record a change that the user made in the strip itself."""
        self.edit_favourites(self.favourites(), text)

    def _set(self, favourites: list[Favourite]) -> None:
        self._fill(favourites)
        if self._checkpoint is not None:
            try:
                write_favourites(self._checkpoint, favourites)
            except CowganError as error:
                show_problem(self, error)

    def _fill(self, favourites: list[Favourite]) -> None:
        self._noted = favourites
        if favourites == self.favourites():
            return
        current = self.strip.currentRow()
        with signals_blocked(self.strip):
            self.strip.clear()
            for favourite in favourites:
                self._append(favourite)
        # Keep the current row, for the keyboard.
        nearest = self.strip.model().index(min(current, len(favourites) - 1), 0)
        self.strip.selectionModel().setCurrentIndex(nearest, QItemSelectionModel.SelectionFlag(0))
        self._refresh_buttons()
        self._show_pictures()

    def _append(self, favourite: Favourite) -> None:
        item = QListWidgetItem(favourite.name)
        item.setData(_STATE, favourite.state)
        item.setFlags(item.flags() | Qt.ItemFlag.ItemIsEditable)
        item.setToolTip(plain_tooltip(favourite.name))
        with signals_blocked(self.strip):
            self.strip.addItem(item)
        self._show_pictures()

    def _on_click(self, item: QListWidgetItem) -> None:
        # Ctrl and Shift only select, to remove several.
        if QApplication.keyboardModifiers() == Qt.KeyboardModifier.NoModifier:
            self._take(item)

    def _take(self, item: QListWidgetItem) -> None:
        state = item.data(_STATE)
        if isinstance(state, LatentState):
            self._model.take(state, f"favourite “{item.text()}”")

    def _refresh_buttons(self) -> None:
        self.empty.setVisible(self.strip.count() == 0)
        self.strip.setVisible(self.strip.count() > 0)
        self.remove.setEnabled(bool(self.strip.selectedItems()))

    def _show_pictures(self) -> None:
        synthesizer = self._model.synthesizer
        # A new icon would reset the name being edited.
        if synthesizer is None or not self.isVisible() or self._editing:
            return
        for i in range(self.strip.count()):
            item = self.strip.item(i)
            if not item.icon().isNull():
                continue
            pixmap = self._thumbnails.get(synthesizer, item.data(_STATE), (self, i))
            if pixmap is not None:
                with signals_blocked(self.strip):
                    item.setIcon(QIcon(pixmap))
