"""The slider and button that play a movie."""

import time

from qtpy.QtCore import Qt, QTimer, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QSlider, QWidget

from cowgan.latent.movies import Movie
from napari_cowgan.widgets.controls import icon_button

_TICK_MS = 30


class Player(QWidget):
    """Scrubs through the frames of a movie, or plays them at their speed.

    Frames are left out where the volume cannot be rendered as quickly.

    Signals
    -------
    frame_wanted : int, object
        Index of the frame to show, and what identifies this drag or playing.
    """

    frame_wanted = Signal(int, object)

    def __init__(self) -> None:
        super().__init__()
        self._movie: Movie | None = None
        self._gesture = object()
        self._started_s = 0.0
        self.play = icon_button("play", "Play the movie in the viewer", checkable=True)
        self.position = QSlider(Qt.Orientation.Horizontal)
        self.position.setToolTip("Drag, or press the arrow keys, to show a frame of the movie")
        self.position.setAccessibleName("Frame of the movie")
        self.time = QLabel()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.play)
        layout.addWidget(self.position, 1)
        layout.addWidget(self.time)
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._advance)
        self.play.toggled.connect(self._on_play)
        self.position.sliderPressed.connect(self._begin)
        self.position.valueChanged.connect(self._on_position)
        self.set_movie(None)

    def set_movie(self, movie: Movie | None) -> None:
        """Take another movie, or None, and stop playing."""
        self.play.setChecked(False)
        self._movie = movie
        self.setEnabled(movie is not None)
        self.position.blockSignals(True)
        self.position.setRange(0, 0 if movie is None else movie.n_frames - 1)
        self.position.blockSignals(False)
        self._show_time()

    def go_to(self, index: int) -> None:
        """Move to a frame, as a step of its own."""
        self._begin()
        if self.position.value() == index:
            self._on_position(index)
        self.position.setValue(index)

    def _begin(self) -> None:
        self._gesture = object()

    def _on_play(self, playing: bool) -> None:
        self.play.set_icon("pause" if playing else "play")
        if not playing or self._movie is None:
            self._timer.stop()
            return
        self._begin()
        start = 0 if self.position.value() == self.position.maximum() else self.position.value()
        self._started_s = time.monotonic() - start / self._movie.frames_per_second
        self._timer.start()

    def _advance(self) -> None:
        assert self._movie is not None
        index = int((time.monotonic() - self._started_s) * self._movie.frames_per_second)
        last = self.position.maximum()
        if self._movie.loop:
            index %= last + 1
        self.position.setValue(min(index, last))
        if index >= last and not self._movie.loop:
            self.play.setChecked(False)

    def _on_position(self, index: int) -> None:
        self._show_time()
        self.frame_wanted.emit(index, self._gesture)

    def _show_time(self) -> None:
        movie = self._movie
        if movie is None:
            self.time.setText("")
            return
        now = self.position.value() / movie.frames_per_second
        self.time.setText(f"{now:.1f} / {movie.duration_s:.1f} s")
