"""First page of a new study: where its volumes come from."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

from qtpy.QtCore import QTimer, Signal
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget, QWizardPage

from cowgan.progress import Progress
from cowgan.turing.design.sources import RECOGNISED, StudySource
from napari_cowgan.study.new_study import Found, Origin, Origins, look_at
from napari_cowgan.widgets.controls import breakable, hint, row
from napari_cowgan.widgets.drops import dropped_path
from napari_cowgan.widgets.fields import Choice, Decimal, PathField
from napari_cowgan.widgets.guards import WheelGuard
from napari_cowgan.widgets.jobs import Job
from napari_cowgan.widgets.problems import sentence

_ORIGINS: tuple[tuple[str, Origin], ...] = (
    ("The model that comes with the program", "bundled"),
    ("Another model", "model"),
    ("A folder of volumes", "folder"),
)
_MODELS = "Models (*.safetensors *.pt)"
_REAL = (
    "Volumes that the model was not trained on, prepared as its training volumes were (the Data "
    "panel does it). One of each subject is taken, by lot. " + RECOGNISED
)
_GENERATED = "Seeds are drawn by lot, so that nobody chooses or guesses what is shown."
_LOOK_AFTER_MS = 300


class VolumesPage(QWizardPage):
    """Real and generated volumes, and how many of each there are."""

    def __init__(self) -> None:
        super().__init__()
        self.setTitle("Which volumes are compared?")
        self.real = PathField(
            "study/real",
            "Folder with real volumes",
            "Folder of NIfTI volumes, subfolders included; label maps in it are left out",
        )
        self.origin = Choice("study/origin", _ORIGINS, "What makes the generated volumes")
        self.model = PathField(
            "study/model",
            "Model file",
            "Checkpoint (.safetensors, or .pt of the published code) that is rendered",
            _MODELS,
        )
        self.folder = PathField(
            "study/generated",
            "Folder with generated volumes",
            "Folder of NIfTI volumes; one of each subject is taken, by lot",
        )
        self.psi = Decimal(
            "study/psi",
            0,
            1,
            1,
            0.05,
            "How far the style may lie from the average one: 0 is the average volume, 1 "
            "the seed's own, lower is more typical but less varied",
        )
        self.real_found, self.generated_found = FoundLine(), FoundLine()
        self._form = QFormLayout()
        self._form.addRow("From", self.origin)
        self._form.addRow("Model", self.model)
        self._form.addRow("Folder", self.folder)
        self._form.addRow("Truncation psi", self.psi)
        self._seeds = hint(_GENERATED)
        real = _Box("Real volumes", self._drop_real)
        real.column.addWidget(hint(_REAL))
        real.column.addLayout(row(self.real))
        real.column.addWidget(self.real_found)
        generated = _Box("Generated volumes", self._drop_generated)
        generated.column.addWidget(self._seeds)
        generated.column.addLayout(self._form)
        generated.column.addWidget(self.generated_found)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(22)
        layout.addWidget(real)
        layout.addWidget(generated)
        layout.addStretch(1)
        WheelGuard(self.origin, self.psi)
        self.real.changed.connect(self._look_at_real)
        for changed in (
            self.origin.currentIndexChanged,
            self.model.changed,
            self.folder.changed,
        ):
            changed.connect(self._look_at_generated)
        for line in (self.real_found, self.generated_found):
            line.changed.connect(self.completeChanged)
        self._look_at_real()
        self._look_at_generated()

    @property
    def origins(self) -> Origins | None:
        """Where the volumes come from, None if no folder of real ones is chosen."""
        real = self.real.path
        if real is None:
            return None
        origin = cast(Origin, self.origin.chosen)
        generated = {"bundled": None, "model": self.model.path, "folder": self.folder.path}
        return Origins(real, origin, generated[origin], self.psi.value())

    @property
    def found(self) -> tuple[Found, Found] | None:
        """What there is of real and of generated volumes, None as long as something is missing."""
        real, generated = self.real_found.found, self.generated_found.found
        return None if real is None or generated is None else (real, generated)

    def isComplete(self) -> bool:
        """Return whether both kinds suffice for the smallest study."""
        return self.found is not None and all(found.enough for found in self.found)

    def _look_at_real(self) -> None:
        origins = self.origins
        if origins is None:
            self.real_found.forget("Choose a folder, or drop it here.")
        else:
            self.real_found.ask(origins.real_source)

    def _look_at_generated(self) -> None:
        origin = cast(Origin, self.origin.chosen)
        paths = {"model": self.model, "folder": self.folder}
        for kind, line in paths.items():
            self._form.setRowVisible(line, origin == kind)
        self._form.setRowVisible(self.psi, origin != "folder")
        self._seeds.setVisible(origin != "folder")
        path = paths[origin].path if origin in paths else None
        if path is None and origin in paths:
            self.generated_found.forget(f"Choose a {origin}, or drop it here.")
        else:
            # Neither the real volumes nor the truncation change how many there are.
            self.generated_found.ask(Origins(Path(), origin, path, 1).generated_source)

    def _drop_real(self, path: Path) -> None:
        self.real.set_path(path)

    def _drop_generated(self, path: Path) -> None:
        origin = "folder" if path.is_dir() else "model"
        self.origin.choose(origin)
        {"model": self.model, "folder": self.folder}[origin].set_path(path)


class FoundLine(QWidget):
    """Tells what a source offers, which is found out in the background.

    Signals
    -------
    changed
        Something else is known.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.found: Found | None = None
        self.told = hint("")
        self._make: Callable[[], StudySource] | None = None
        self._job: Job | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_LOOK_AFTER_MS)
        self._timer.timeout.connect(self._look)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.told)

    def ask(self, make: Callable[[], StudySource]) -> None:
        """Find out what a source offers once nobody has asked for another one for a while."""
        self.forget("Counting…")
        self._make = make
        self._timer.start()

    def forget(self, told: str) -> None:
        """Know nothing, and say so."""
        self._timer.stop()
        self._make = self._job = None
        self._show(None, told)

    def _look(self) -> None:
        make = self._make
        if make is not None:
            self._job = Job(partial(_look_at, make))
            self._job.succeeded.connect(self._on_found)
            self._job.failed.connect(self._on_failure)
            self._job.start()

    def _on_found(self, found: Found) -> None:
        if self.sender() is self._job:
            self._show(found, found.sentence)

    def _on_failure(self, error: BaseException) -> None:
        if self.sender() is self._job:
            self._show(None, sentence(error))

    def _show(self, found: Found | None, told: str) -> None:
        self.found = found
        self.told.setText(breakable(told))
        self.changed.emit()


class _Box(QWidget):
    """A titled group on which one file or folder can be dropped."""

    def __init__(self, title: str, take: Callable[[Path], None]) -> None:
        super().__init__()
        self._take = take
        self.setAcceptDrops(True)
        name = QLabel(title)
        name.setStyleSheet("font-weight: bold;")
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(6)
        self.column.addWidget(name)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Accept one file or folder."""
        if dropped_path(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Take it."""
        path = dropped_path(event)
        if path is not None:
            event.acceptProposedAction()
            self._take(path)


def _look_at(make: Callable[[], StudySource], progress: Progress) -> Found:
    return look_at(make())
