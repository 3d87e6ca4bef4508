"""A window of thumbnails: neighbouring seeds, or steps along each direction."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Qt, QTimer
from qtpy.QtGui import QIcon, QKeySequence, QPixmap, QResizeEvent, QShortcut, QShowEvent
from qtpy.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QListView,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from cowgan.progress import advance
from cowgan.randomness import MAX_SEED
from cowgan.synthesis import LatentState, Synthesizer
from cowgan.volume import thumbnail
from napari_cowgan.explorer.explorer_model import ExplorerModel
from napari_cowgan.widgets.controls import (
    hint,
    icon_button,
    pixmap_of,
    plain_tooltip,
    row,
    text_button,
)
from napari_cowgan.widgets.fields import Choice
from napari_cowgan.widgets.jobs import Job, JobBar
from napari_cowgan.widgets.problems import show_problem

_PICTURE = 128
_CELL = QSize(_PICTURE + 12, _PICTURE + 26)
_FIRST_SIZE = QSize(6 * _CELL.width() + 40, 6 * _CELL.height() + 110)
_MOST_KEPT = 1000
_SETTLED_MS = 300
_MOST_SIGMAS = 3.0
_HOW = "Click or press Return to show a volume; the arrow keys move between thumbnails"
_FROM_CURRENT = "Click or press Return to show a volume. All other settings are the current ones."
_OUTDATED = "The volume has changed since; Refresh starts from the current one."


@dataclass(frozen=True)
class _Cell:
    """A thumbnail: its caption, the state it shows, and how to show that state."""

    caption: str
    state: LatentState
    take: Callable[[], None]


class Browser(QDialog):
    """A window of as many thumbnails as fit, rendered one by one in the background.

    Parameters
    ----------
    model : ExplorerModel
        The model to start from; a click or Return changes it.
    parent : QWidget
        The explorer.
    """

    def __init__(self, model: ExplorerModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Browse")
        self._model = model
        self._pictures: dict[LatentState, NDArray[np.uint8]] = {}
        self._cells: list[_Cell] = []
        self._start = LatentState()
        self._first = 0
        self._per_page = 1
        self.content = Choice(
            "browse",
            [("Seeds", "seeds"), ("Directions × σ", "directions")],
            "Seeds from the current one on, or one row of thumbnails for each direction",
        )
        self.content.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.previous = icon_button("previous", "Previous page")
        self.next = icon_button("next", "Next page")
        self.again = text_button("Refresh", "Start from the current volume")
        self.note = hint(_FROM_CURRENT)
        self.pictures = QListWidget()
        self.pictures.setViewMode(QListView.ViewMode.IconMode)
        self.pictures.setMovement(QListView.Movement.Static)
        self.pictures.setResizeMode(QListView.ResizeMode.Adjust)
        self.pictures.setUniformItemSizes(True)
        self.pictures.setIconSize(QSize(_PICTURE, _PICTURE))
        self.pictures.setGridSize(_CELL)
        self.pictures.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.pictures.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.pictures.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.pictures.setToolTip(_HOW)
        self.pictures.setAccessibleName(_HOW)
        self.job = JobBar()
        self._settled = QTimer(self)
        self._settled.setSingleShot(True)
        self._settled.setInterval(_SETTLED_MS)
        layout = QVBoxLayout(self)
        layout.addLayout(row(self.content, self.previous, self.next, self.again, 1))
        layout.addWidget(self.pictures, 1)
        layout.addWidget(self.note)
        layout.addWidget(self.job)
        self.content.currentIndexChanged.connect(self.start_here)
        self.previous.clicked.connect(lambda: self._turn(-1))
        self.next.clicked.connect(lambda: self._turn(1))
        self.again.clicked.connect(self.start_here)
        self.pictures.itemClicked.connect(self._take)
        self.pictures.itemActivated.connect(self._take)
        self._settled.timeout.connect(self._fill)
        model.state_changed.connect(self._on_state)
        model.model_changed.connect(self._on_model)
        for keys, action in (
            ("Ctrl+Z", model.undo_stack.undo),
            ("Ctrl+Shift+Z", model.undo_stack.redo),
        ):
            QShortcut(QKeySequence(keys), self, action)
        self.finished.connect(self.job.stop)

    def browse(self, content: str) -> None:
        """Show thumbnails of ``"seeds"`` or ``"directions"``, in front."""
        if self.isHidden():
            room = self.screen().availableSize() * 0.9
            self.resize(_FIRST_SIZE.boundedTo(room))
        self.content.choose(content)
        self.start_here()
        self.show()
        self.raise_()
        self.activateWindow()
        self.pictures.setFocus()

    def start_here(self) -> None:
        """Start from the shown volume."""
        self._start = self._model.latent
        self._first = 0
        self._on_state()
        self._fill()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Show as many thumbnails as fit, once the size has settled."""
        super().resizeEvent(event)
        self._settled.start()

    def showEvent(self, event: QShowEvent) -> None:
        """Render thumbnails once they are visible."""
        super().showEvent(event)
        self._settled.start()

    def _turn(self, pages: int) -> None:
        self._first += pages * self._per_page
        self._fill()

    def _on_state(self) -> None:
        """Note when the thumbnails start from another volume than the current one."""
        latent = self._model.latent
        if self.content.chosen == "seeds":
            outdated = latent.with_seed(0) != self._start.with_seed(0)
        else:
            shown = {cell.state for cell in self._cells}
            outdated = latent != self._start and latent not in shown
        self.note.setText(_OUTDATED if outdated else _FROM_CURRENT)

    def _on_model(self) -> None:
        self._pictures.clear()
        self.start_here()

    def _fill(self) -> None:
        synthesizer = self._model.synthesizer
        if synthesizer is None or not self.isVisible():
            return
        room = self.pictures.viewport().size()
        columns = max(room.width() // _CELL.width(), 1)
        rows = max(room.height() // _CELL.height(), 1)
        seeds = self.content.chosen == "seeds"
        self._cells = self._seeds(columns * rows) if seeds else self._directions(rows, columns)
        current = self.pictures.currentRow()
        self.pictures.clear()
        for cell in self._cells:
            item = QListWidgetItem(cell.caption)
            item.setToolTip(plain_tooltip(cell.caption))
            self.pictures.addItem(item)
            self._show_picture(item, cell.state)
        self.pictures.setCurrentRow(min(max(current, 0), len(self._cells) - 1))
        self._make(synthesizer)

    def _seeds(self, count: int) -> list[_Cell]:
        self._per_page = count
        first = self._start.seed + self._first
        cells = []
        for i in range(count):
            seed = (first + i) % (MAX_SEED + 1)
            state = self._start.with_seed(seed)
            cells.append(_Cell(str(seed), state, partial(self._take_seed, seed)))
        return cells

    def _directions(self, rows: int, columns: int) -> list[_Cell]:
        """Return one row for each direction, from the left end of its slider to the right."""
        directions = self._model.directions
        self._per_page = rows
        first = self._first % max(len(directions), 1)
        cells = []
        for direction in directions[first : first + rows]:
            title = self._model.title(direction, self._model.blocks(direction))
            for sigmas in np.linspace(-_MOST_SIGMAS, _MOST_SIGMAS, columns):
                shown = round(float(sigmas), 2)
                state = self._model.moved(self._start, direction, shown)
                caption = f"{title}  {f'{shown:+.2g}' if shown else '0'} σ"
                cells.append(_Cell(caption, state, partial(self._take_state, state)))
        return cells

    def _make(self, synthesizer: Synthesizer) -> None:
        missing = [cell.state for cell in self._cells if cell.state not in self._pictures]
        if not missing:
            self.job.stop()
            return

        def work(job: Job) -> None:
            for done, volume in enumerate(synthesizer.render_many(missing)):
                job.deliver((missing[done], thumbnail(volume, "axial", _PICTURE)))
                advance(job, done + 1, len(missing))

        self.job.run(
            "Picture",
            work,
            lambda _: None,
            lambda error: show_problem(self, error),
            on_part=lambda made: self._keep(*made),
        )

    def _keep(self, state: LatentState, picture: NDArray[np.uint8]) -> None:
        while len(self._pictures) >= _MOST_KEPT:
            del self._pictures[next(iter(self._pictures))]
        self._pictures[state] = picture
        for i, cell in enumerate(self._cells):
            item = self.pictures.item(i)
            if item is not None and cell.state == state:
                self._show_picture(item, state)

    def _show_picture(self, item: QListWidgetItem, state: LatentState) -> None:
        picture = self._pictures.get(state)
        if picture is None:
            pixmap = QPixmap(_PICTURE, _PICTURE)
            pixmap.fill(Qt.GlobalColor.black)
        else:
            pixmap = pixmap_of(picture)
        item.setIcon(QIcon(pixmap))

    def _take(self, item: QListWidgetItem) -> None:
        self._cells[self.pictures.row(item)].take()

    def _take_seed(self, seed: int) -> None:
        self._model.set_seed(seed, "seed from a picture")

    def _take_state(self, state: LatentState) -> None:
        self._model.take(state, "picture")
