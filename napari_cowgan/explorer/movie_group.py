"""Movies of walks through the latent space: key frames, preview and export."""

# superqt is only partly typed.
# mypy: allow-untyped-calls

from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtGui import QAction
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QLabel,
    QMenu,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)
from superqt.utils import signals_blocked

from cowgan.checkpoint import Checkpoint
from cowgan.errors import CowganError
from cowgan.latent import movies
from cowgan.latent.easing import Easing
from cowgan.latent.movie_export import export_movie, volume_stack
from cowgan.latent.movie_files import SUFFIX, check_model, read_movie, write_movie
from cowgan.latent.movies import Keyframe, Movie
from cowgan.progress import Progress
from cowgan.synthesis import Synthesizer
from cowgan.volume import Volume
from napari_cowgan.explorer.animation_wizard import (
    open_wizard,
    received_keyframes,
    send_keyframes,
)
from napari_cowgan.explorer.explorer_model import ExplorerModel, random_seed
from napari_cowgan.explorer.kept_keyframes import read_keyframes, write_keyframes
from napari_cowgan.explorer.keyframe_strip import KeyframeStrip
from napari_cowgan.explorer.layer import VolumeLayer
from napari_cowgan.explorer.movie_view import (
    show_colours,
    show_view,
    shown_camera,
    shown_colours,
    shown_contrast,
)
from napari_cowgan.explorer.player import Player
from napari_cowgan.explorer.thumbnails import Thumbnails
from napari_cowgan.explorer.undo import Change
from napari_cowgan.viewer.display import display_array, volume_to_layer
from napari_cowgan.widgets.controls import breakable, hint, row, text_button
from napari_cowgan.widgets.dialogs import ask_for_file
from napari_cowgan.widgets.jobs import JobBar
from napari_cowgan.widgets.problems import show_problem
from napari_cowgan.widgets.remembered import recall_count, recall_text, remember

if TYPE_CHECKING:
    import napari
    from napari.layers import Image

_Stack = tuple[Movie, list[tuple[int, Volume]]]

_KEYFRAMES = f"Key frames (*{SUFFIX})"
_SPEEDS: dict[str, Easing] = {
    "Slow, fast, slow": "ease-in-out",
    "Even": "linear",
    "Slow at first": "ease-in",
    "Slow at the end": "ease-out",
    "Stay, then jump": "step",
}
_SIZES = ("512 × 512", "768 × 768", "1024 × 1024", "1280 × 720", "1920 × 1080")


class MovieGroup(QWidget):
    """Key frames of complete views, a player, and export.

    Parameters
    ----------
    viewer : napari.Viewer
        Its camera is part of key frames and follows the preview.
    shown : VolumeLayer
        The layer of the volume, whose contrast and colours movies take.
    model : ExplorerModel
        Gets the states of the preview.
    thumbnails : Thumbnails
        Draws those of the strip.
    """

    def __init__(
        self,
        viewer: "napari.Viewer",
        shown: VolumeLayer,
        model: ExplorerModel,
        thumbnails: Thumbnails,
    ) -> None:
        super().__init__()
        self._viewer = viewer
        self._shown = shown
        self._model = model
        self._checkpoint: Checkpoint | None = None
        self._waiting: Path | None = None
        self._keyframes: tuple[Keyframe, ...] = ()
        self.strip = KeyframeStrip(model, thumbnails)
        self.player = Player()
        self.job = JobBar()
        self._build_buttons()
        self._build_fields()
        self._arrange()
        self._connect()
        self._on_model()

    # Construction

    def _build_buttons(self) -> None:
        self.empty = hint(
            "No key frames yet. Add the current view, change the volume or the camera, and add "
            "the next; or fill in a whole walk."
        )
        self.add = text_button("Add this view", "Add volume, camera and contrast as a key frame")
        self.update_current = text_button(
            "Update", "Put the current view in place of the selected key frame"
        )
        self.remove = text_button("Remove", "Remove the selected key frame (Del)")
        self.fill = text_button("Fill in", "Replace all key frames by a walk of one kind")
        menu = QMenu(self.fill)
        self.fills = {
            name: _action(menu, text, tip, make)
            for name, text, tip, make in (
                (
                    "walk",
                    "Walk to a random seed",
                    "100 frames from this volume to another",
                    self._walk,
                ),
                (
                    "noise",
                    "Vary the noise",
                    "100 frames of this style, each with other noise",
                    self._vary,
                ),
                (
                    "turn",
                    "Turn once",
                    "120 frames of this volume turning about the head-foot axis",
                    self._turn,
                ),
                *_exchange(
                    "wizard",
                    "Camera of napari-animation",
                    "This volume, seen by the key frames in its wizard",
                    self._receive,
                ),
            )
        }
        self.fill.setMenu(menu)
        self.export = text_button("Export", "Write the movie or its volumes")
        menu = QMenu(self.export)
        self.exports = {
            name: _action(menu, text, tip, start)
            for name, text, tip, start in (
                ("mp4", "MP4 movie…", "A small file for slides and web pages", self._choose_mp4),
                ("gif", "GIF…", "Larger, but plays everywhere and loses nothing", self._choose_gif),
                (
                    "nifti",
                    "NIfTI volumes…",
                    "Each volume with its history, in a new folder",
                    self._choose_folder,
                ),
                ("layer", "4D layer", "The volumes as one layer with a slider", self.add_layer),
                *_exchange(
                    "wizard",
                    "For napari-animation",
                    "The volumes as a layer, and key frames in its wizard",
                    self._send,
                ),
            )
        }
        self.export.setMenu(menu)
        self.save = text_button("Save…", "Save key frames to a file, for cowgan movie")
        self.open = text_button("Open…", "Open key frames from a file")
        self.outcome = QLabel()
        self.outcome.setWordWrap(True)
        self.outcome.hide()

    def _build_fields(self) -> None:
        self.frames = QSpinBox()
        self.frames.setRange(1, movies.MOST_FRAMES)
        self.frames.setKeyboardTracking(False)
        self.frames.setToolTip(
            "Frames until the next key frame; the last key frame stays for as many"
        )
        self.speed = QComboBox()
        self.speed.addItems(list(_SPEEDS))
        self.speed.setToolTip("Speed on the way to the next key frame")
        self.turns = QSpinBox()
        self.turns.setRange(-movies.MOST_TURNS, movies.MOST_TURNS)
        self.turns.setToolTip("Turns of the camera about the head-foot axis on the way")
        self.redraw = QCheckBox("Other noise in every frame")
        self.redraw.setToolTip("Draw new noise for every frame instead of blending it")
        self.rate = QSpinBox()
        self.rate.setRange(*movies.FRAME_RATES)
        self.rate.setValue(recall_count("movie/rate", Movie.frames_per_second))
        self.rate.setToolTip("Frames per second")
        self.picture = QComboBox()
        self.picture.addItems(_SIZES)
        self.picture.setCurrentText(recall_text("movie/size", _SIZES[0]))
        self.picture.setToolTip("Width and height of the picture in pixels")
        self.loop = QCheckBox("Loop")
        self.loop.setToolTip("Lead from the last key frame back to the first")
        self.mark = QCheckBox("Write “Synthetic”")
        self.mark.setChecked(True)
        self.mark.setToolTip("Write “Synthetic. Not for diagnosis.” on every frame")

    def _arrange(self) -> None:
        self.selected = QWidget()
        form = QFormLayout(self.selected)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Frames", self.frames)
        form.addRow("Speed", self.speed)
        form.addRow("Turns", self.turns)
        form.addRow(self.redraw)
        shared = QFormLayout()
        shared.setContentsMargins(0, 0, 0, 0)
        shared.addRow("Per second", self.rate)
        shared.addRow("Picture", self.picture)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.empty)
        layout.addWidget(self.strip)
        layout.addLayout(row(self.add, self.update_current))
        layout.addLayout(row(self.remove, self.fill))
        layout.addWidget(self.selected)
        layout.addWidget(self.player)
        layout.addLayout(shared)
        layout.addLayout(row(self.loop, self.mark, 1))
        layout.addWidget(self.export)
        layout.addWidget(self.job)
        layout.addWidget(self.outcome)
        layout.addLayout(row(QLabel("Key frames"), self.save, self.open))

    def _connect(self) -> None:
        self.add.clicked.connect(self.add_current)
        self.update_current.clicked.connect(self.replace_selected)
        self.remove.clicked.connect(self.remove_selected)
        self.strip.remove_wanted.connect(self.remove_selected)
        self.strip.chosen.connect(self._show_keyframe)
        self.strip.reordered.connect(
            lambda: self.edit(self.strip.keyframes(), "order of key frames")
        )
        self.strip.currentRowChanged.connect(self._show_selected)
        self.frames.valueChanged.connect(lambda count: self._edit_selected(frames=count))
        self.speed.textActivated.connect(lambda text: self._edit_selected(easing=_SPEEDS[text]))
        self.turns.valueChanged.connect(lambda count: self._edit_selected(turns=count))
        self.redraw.clicked.connect(
            lambda on: self._edit_selected(noise="redraw" if on else "blend")
        )
        self.rate.valueChanged.connect(self._on_rate)
        self.picture.textActivated.connect(lambda text: remember("movie/size", text))
        self.loop.toggled.connect(self._refresh)
        self.player.frame_wanted.connect(self._show_frame)
        self.save.clicked.connect(self._choose_file_to_save)
        self.open.clicked.connect(
            lambda: ask_for_file(self, "Open key frames", self.open_file, _KEYFRAMES)
        )
        self.job.running_changed.connect(self._refresh_buttons)
        self._model.model_changed.connect(self._on_model)

    # Key frames

    @property
    def keyframes(self) -> tuple[Keyframe, ...]:
        """The key frames, in order."""
        return self._keyframes

    def movie(self) -> Movie | None:
        """Return the movie; None without key frames or if it would be too long."""
        if not self._keyframes or self._checkpoint is None:
            return None
        width, height = map(int, self.picture.currentText().split(" × "))
        try:
            return Movie(
                self._keyframes,
                self._checkpoint.card.name,
                self._checkpoint.sha256,
                self.rate.value(),
                width,
                height,
                self.loop.isChecked(),
                shown_colours(self._shown.layer),
                self.mark.isChecked(),
            )
        except CowganError as error:
            self._show_outcome(error.sentence)
            return None

    def edit(self, keyframes: Sequence[Keyframe], text: str) -> None:
        """Replace the key frames, as an undoable step, and store them."""
        after = tuple(keyframes)
        if after != self._keyframes:
            self._model.undo_stack.push(Change(text, self._keyframes, after, self._set))

    def add_current(self) -> None:
        """Add the shown view behind the selected key frame."""
        place = self.strip.currentRow() + 1
        frames = self._keyframes[place - 1].frames if place else Keyframe.frames
        added = replace(self._current_view(), frames=frames)
        self.edit([*self._keyframes[:place], added, *self._keyframes[place:]], "add key frame")
        self.strip.setCurrentRow(place)
        self.strip.scrollToItem(self.strip.currentItem())

    def replace_selected(self) -> None:
        """Put the shown view in place of the selected key frame."""
        now = self._current_view()
        self._edit_selected(state=now.state, camera=now.camera, contrast=now.contrast)

    def remove_selected(self) -> None:
        """Remove the selected key frame."""
        place = self.strip.currentRow()
        if place >= 0:
            self.edit([*self._keyframes[:place], *self._keyframes[place + 1 :]], "remove key frame")

    def _current_view(self) -> Keyframe:
        layer = self._shown.layer
        return Keyframe(
            self._model.latent, shown_camera(self._viewer, layer), shown_contrast(layer)
        )

    def _edit_selected(self, **changes: Any) -> None:
        place = self.strip.currentRow()
        if place < 0:
            return
        changed = list(self._keyframes)
        changed[place] = replace(changed[place], **changes)
        self.edit(changed, "key frame")

    def _fill(self, keyframes: Sequence[Keyframe], text: str) -> None:
        now = self._current_view()
        self.edit(
            [replace(one, camera=now.camera, contrast=now.contrast) for one in keyframes], text
        )

    def _walk(self) -> None:
        latent = self._model.latent
        states = [latent, latent.with_seed(random_seed())]
        self._fill(movies.interpolation(states), "fill in a walk")

    def _vary(self) -> None:
        varied = replace(self._model.latent, noise=True)
        self._fill(movies.stochastic_variation(varied), "fill in noises")

    def _turn(self) -> None:
        now = self._current_view()
        self._fill(movies.turntable(now.state, now.camera), "fill in a turn")
        self.loop.setChecked(True)

    def _set(self, keyframes: tuple[Keyframe, ...]) -> None:
        self._keyframes = keyframes
        self._refresh()
        if self._checkpoint is not None:
            try:
                write_keyframes(self._checkpoint, keyframes)
            except CowganError as error:
                show_problem(self, error)

    def _on_model(self) -> None:
        checkpoint = self._model.checkpoint
        self.setEnabled(checkpoint is not None)
        if checkpoint is not self._checkpoint:
            self._checkpoint = checkpoint
            self._keyframes = ()
            if checkpoint is not None:
                try:
                    self._keyframes = read_keyframes(checkpoint)
                except CowganError as error:
                    show_problem(self, error)
        self._refresh()
        if checkpoint is not None and self._waiting is not None:
            path, self._waiting = self._waiting, None
            self.open_file(path)

    # Showing

    def _show_keyframe(self, place: int) -> None:
        movie = self.movie()
        if movie is not None:
            self.player.go_to(movie.index_of(place))

    def _show_frame(self, index: int, gesture: object) -> None:
        movie, checkpoint = self.movie(), self._checkpoint
        if movie is None or checkpoint is None:
            return
        try:
            frame = movie.frame(index, checkpoint)
        except CowganError as error:
            self.player.play.setChecked(False)
            show_problem(self, error)
            return
        state = replace(self._model.state, latent=frame.state)
        self._model.change(state, "show movie", gesture)
        show_view(self._viewer, self._shown.layer, frame)

    def _on_rate(self, rate: int) -> None:
        remember("movie/rate", rate)
        self._refresh()

    def _refresh(self) -> None:
        self.strip.fill(self._keyframes, self.rate.value())
        self.outcome.hide()
        self.player.set_movie(self.movie())
        self._show_selected()
        self._refresh_buttons()

    def _show_selected(self) -> None:
        place = self.strip.currentRow()
        self.selected.setVisible(0 <= place < len(self._keyframes))
        if not self.selected.isVisibleTo(self):
            return
        keyframe = self._keyframes[place]
        with signals_blocked(self.frames), signals_blocked(self.speed), signals_blocked(self.turns):
            self.frames.setValue(keyframe.frames)
            names = {easing: name for name, easing in _SPEEDS.items()}
            self.speed.setCurrentText(names[keyframe.easing])
            self.turns.setValue(keyframe.turns)
        self.redraw.setChecked(keyframe.noise == "redraw")

    def _refresh_buttons(self) -> None:
        there = bool(self._keyframes)
        self.empty.setVisible(not there)
        self.strip.setVisible(there)
        for button in (self.update_current, self.remove, self.save):
            button.setEnabled(there)
        self.export.setEnabled(there and not self.job.running)

    # Files and layers

    def open_file(self, path: Path) -> None:
        """Open a file of key frames, in place of those there are; a failure changes nothing.

        Before a model is open, the file waits for it.
        """
        if self._checkpoint is None:
            self._waiting = path
            return
        try:
            movie = read_movie(path)
            check_model(movie, self._checkpoint)
        except CowganError as error:
            show_problem(self, error)
        else:
            self.take(movie, "open key frames")

    def take(self, movie: Movie, text: str) -> None:
        """Take key frames as an undoable step, and what they share."""
        size = f"{movie.width} × {movie.height}"
        if self.picture.findText(size) < 0:
            self.picture.addItem(size)
        self.picture.setCurrentText(size)
        self.rate.setValue(movie.frames_per_second)
        self.loop.setChecked(movie.loop)
        self.mark.setChecked(movie.mark_synthetic)
        if self._shown.layer is not None:
            show_colours(self._shown.layer, movie)
        self.edit(movie.keyframes, text)

    def save_file(self, path: Path) -> None:
        """Save the key frames to a file."""
        movie = self.movie()
        if movie is None:
            return
        try:
            write_movie(movie, path)
        except CowganError as error:
            show_problem(self, error)
        else:
            self._show_outcome(f"Saved {path}")

    def export_to(self, target: Path, overwrite: bool = False) -> None:
        """Write an MP4 or GIF file, or the volumes to a new folder, in the background."""

        def work(movie: Movie, synthesizer: Synthesizer, progress: Progress) -> None:
            export_movie(movie, synthesizer, target, overwrite, progress)

        self._run(work, lambda _: self._show_outcome(f"Saved {target}"))

    def add_layer(self) -> None:
        """Add the volumes as a 4D layer, made in the background."""
        self._run(_stack, self._add_stack)

    def _add_stack(self, made: _Stack) -> "Image":
        _, stack = made
        _, options, _ = volume_to_layer(stack[0][1], "Movie")
        options |= {
            "scale": (1.0, *options["scale"]),
            "translate": (0.0, *options["translate"]),
            "axis_labels": ("frame", *options["axis_labels"]),
            "units": ("pixel", "mm", "mm", "mm"),
        }
        arrays = np.stack([display_array(volume) for _, volume in stack])
        layer = self._viewer.add_image(arrays, **{**options, **self._shown.look()})
        self._show_outcome(f"Added {len(stack)} volumes as the layer “{layer.name}”.")
        return layer

    def _send(self) -> None:
        animation = self._wizard()
        checkpoint = self._checkpoint
        if animation is None or checkpoint is None:
            return

        def send(made: _Stack) -> None:
            movie, stack = made
            layer = self._add_stack(made)
            send_keyframes(animation, movie, checkpoint, layer, [index for index, _ in stack])
            self._show_outcome("napari-animation has the key frames, of the layer “Movie”.")

        self._run(_stack, send)

    def _receive(self) -> None:
        animation, layer = self._wizard(), self._shown.layer
        if animation is not None and layer is not None:
            received = received_keyframes(animation, self._viewer, layer, self._model.latent)
            self.edit(received, "key frames of napari-animation")

    def _wizard(self) -> Any | None:
        animation = open_wizard(self._viewer)
        if animation is None:
            self._show_outcome("Open the wizard of napari-animation first, from the menu Plugins.")
        return animation

    def _run(
        self,
        work: Callable[[Movie, Synthesizer, Progress], object],
        show: Callable[[Any], None],
    ) -> None:
        movie, synthesizer = self.movie(), self._model.synthesizer
        if movie is None or synthesizer is None:
            return
        self.outcome.hide()
        self.job.run(
            "Frame",
            lambda progress: work(movie, synthesizer, progress),
            show,
            lambda error: show_problem(self, error),
            lambda: self._show_outcome("Stopped. Nothing was written."),
        )

    def _show_outcome(self, text: str) -> None:
        self.outcome.setText(breakable(text))
        self.outcome.show()

    def _choose_mp4(self) -> None:
        self._choose_movie_file("MP4 movie (*.mp4)", "movie.mp4")

    def _choose_gif(self) -> None:
        self._choose_movie_file("GIF (*.gif)", "movie.gif")

    def _choose_movie_file(self, filters: str, name: str) -> None:
        def export(path: Path) -> None:
            # The dialog has asked whether to replace a file.
            self.export_to(path, overwrite=True)

        ask_for_file(self, "Export movie", export, filters, save_as=name)

    def _choose_folder(self) -> None:
        ask_for_file(self, "New folder for the volumes", self.export_to, save_as="movie_volumes")

    def _choose_file_to_save(self) -> None:
        ask_for_file(self, "Save key frames", self.save_file, _KEYFRAMES, save_as=f"walk{SUFFIX}")


def _stack(movie: Movie, synthesizer: Synthesizer, progress: Progress) -> _Stack:
    return movie, volume_stack(movie, synthesizer, progress)


def _exchange(*action: Any) -> tuple[tuple[Any, ...], ...]:
    """Return an action of a menu if napari-animation is installed."""
    return (action,) if find_spec("napari_animation") else ()


def _action(menu: QMenu, text: str, tooltip: str, run: Callable[[], None]) -> QAction:
    menu.setToolTipsVisible(True)
    action = QAction(text, menu)
    action.setToolTip(tooltip)
    action.triggered.connect(lambda _=False: run())
    menu.addAction(action)
    return action
