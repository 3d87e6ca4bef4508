"""Thumbnails along one direction, from -3 to 3 sigma."""

from collections.abc import Sequence

from qtpy.QtCore import QRect, QSize, Qt, QTimer, Signal
from qtpy.QtGui import QPainter, QPaintEvent, QPalette, QPen, QPixmap, QResizeEvent, QShowEvent
from qtpy.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from cowgan.synthesis import LatentState
from napari_cowgan.explorer.explorer_model import ExplorerModel
from napari_cowgan.explorer.thumbnails import Thumbnails

STEPS = (-3, -2, -1, 0, 1, 2, 3)
"""In sigma."""

_PAUSE_MS = 300
"""Time after the last change of the volume until thumbnails of it are made."""
_LEAST_SIDE, _FRAME = 24, 2
# One strip is open at a time: its requests replace those of the one before.
_PLACES = tuple(("direction strip", step) for step in STEPS)


class DirectionStrip(QWidget):
    """Seven thumbnails of the shown volume along a direction; a click moves there.

    Parameters
    ----------
    model : ExplorerModel
        Its synthesizer renders.
    thumbnails : Thumbnails
        Makes the pictures in the background.

    Signals
    -------
    chosen : float
        The user chose a thumbnail, that many sigma along the direction.
    """

    chosen = Signal(float)

    def __init__(self, model: ExplorerModel, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._model = model
        self._thumbnails = thumbnails
        self._states: tuple[LatentState, ...] = ()
        self.buttons = [StepButton(step) for step in STEPS]
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 4)
        layout.setSpacing(1)
        for button in self.buttons:
            layout.addWidget(button)
            button.clicked.connect(lambda _=False, step=button.step: self.chosen.emit(float(step)))
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(self._show_pictures)
        thumbnails.changed.connect(self._show_pictures)

    def show_along(self, states: Sequence[LatentState], sigmas: float, title: str) -> None:
        """Show other states, one for each of the `STEPS`.

        Parameters
        ----------
        states : sequence of LatentState
            The shown volume at each step.
        sigmas : float
            Where it is.
        title : str
            What the direction is called.
        """
        for button in self.buttons:
            button.setAccessibleName(f"{title}: {button.caption} sigma")
            button.mark(button.step == sigmas)
        if self._states != tuple(states):
            self.withdraw()
            self._states = tuple(states)
            for button in self.buttons:
                button.show_pixmap(None)
            self._pause.start()

    def withdraw(self) -> None:
        """Ask for no more thumbnails of what is shown now."""
        for place in _PLACES:
            self._thumbnails.withdraw(place)

    def showEvent(self, event: QShowEvent) -> None:
        """Request thumbnails once they are visible."""
        super().showEvent(event)
        self._show_pictures()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the thumbnails square."""
        super().resizeEvent(event)
        side = max(self.width() // len(STEPS) - 1, _LEAST_SIDE)
        for button in self.buttons:
            button.setFixedHeight(side + button.fontMetrics().height())

    def _show_pictures(self) -> None:
        synthesizer = self._model.synthesizer
        if synthesizer is None or self._pause.isActive() or not self.isVisible():
            return
        for button, state, place in zip(self.buttons, self._states, _PLACES, strict=False):
            button.show_pixmap(self._thumbnails.get(synthesizer, state, place))


class StepButton(QAbstractButton):
    """A thumbnail that fills the button, above its step."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self.step = step
        self.caption = f"{step:+d}" if step else "0"
        self.has_picture = False
        self._marked = False
        self._pixmap = QPixmap()
        self.setToolTip(f"Move the slider to {self.caption} σ")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_pixmap(self, pixmap: QPixmap | None) -> None:
        """Show a thumbnail, or an empty one for None."""
        self.has_picture = pixmap is not None
        self._pixmap = QPixmap() if pixmap is None else pixmap
        self.update()

    def mark(self, marked: bool) -> None:
        """Show whether the slider is at this step."""
        if marked != self._marked:
            self._marked = marked
            self.update()

    def sizeHint(self) -> QSize:
        """Return a size that fits seven times into a narrow panel."""
        return QSize(_LEAST_SIDE, _LEAST_SIDE + self.fontMetrics().height())

    def minimumSizeHint(self) -> QSize:
        """Return the same: it grows with the panel."""
        return self.sizeHint()

    def paintEvent(self, _: QPaintEvent) -> None:
        """Draw the thumbnail, framed where the slider is, above its step, framed with the focus."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        side = min(self.width(), self.height() - self.fontMetrics().height())
        picture = QRect((self.width() - side) // 2, 0, side, side)
        below = QRect(0, side, self.width(), self.height() - side)
        painter.fillRect(picture, Qt.GlobalColor.black)
        if self.has_picture:
            painter.drawPixmap(picture, self._pixmap)
        if self._marked:
            # White in each theme: pictures are dark.
            painter.setPen(QPen(Qt.GlobalColor.white, _FRAME))
            painter.drawRect(picture.adjusted(1, 1, -1, -1))
        font = self.font()
        font.setBold(self._marked)
        painter.setFont(font)
        painter.setPen(self.palette().color(QPalette.ColorRole.WindowText))
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, self.caption)
        if self.hasFocus():
            painter.drawRect(below.adjusted(1, 1, -2, -1))
