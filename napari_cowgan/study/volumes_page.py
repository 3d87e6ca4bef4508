"""First page of the wizard: origins of the volumes."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

from qtpy.QtCore import QTimer, Signal
from qtpy.QtGui import QDragEnterEvent, QDropEvent
from qtpy.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget, QWizardPage

from cowgan.progress import Progress
from cowgan.turing.design.sources import RECOGNISED, StudySource
from napari_cowgan.study.new_study import Availability, Origin, Origins, count_volumes
from napari_cowgan.widgets.controls import breakable, hint, row
from napari_cowgan.widgets.drops import dropped_path
from napari_cowgan.widgets.fields import Choice, Decimal, PathField
from napari_cowgan.widgets.guards import WheelGuard
from napari_cowgan.widgets.jobs import Job
from napari_cowgan.widgets.problems import sentence

_ORIGINS: tuple[tuple[str, Origin], ...] = (
    ("The bundled model", "bundled"),
    ("Another model", "model"),
    ("A folder of volumes", "folder"),
)
_MODELS = "Models (*.safetensors *.pt)"
_REAL = (
    "Volumes that the model was not trained on, prepared like its training volumes (with the Data "
    "panel). One volume of each subject is used, at random. " + RECOGNISED
)
_GENERATED = "Seeds are drawn at random, so that nobody can choose or guess what is shown."
_COUNT_AFTER_MS = 300


class VolumesPage(QWizardPage):
    """Origins of real and generated volumes, and how many of each there are."""

    def __init__(self) -> None:
        super().__init__()
        self.setTitle("Which volumes are compared?")
        self.real = PathField(
            "study/real",
            "Folder with real volumes",
            "Folder of NIfTI volumes, including subfolders; label maps are skipped",
        )
        self.origin = Choice("study/origin", _ORIGINS, "Origin of the generated volumes")
        self.model = PathField(
            "study/model",
            "Model file",
            "Checkpoint (.safetensors, or .pt of the published code) that generates volumes",
            _MODELS,
        )
        self.folder = PathField(
            "study/generated",
            "Folder with generated volumes",
            "Folder of NIfTI volumes; one of each subject is used, at random",
        )
        self.psi = Decimal(
            "study/psi",
            0,
            1,
            1,
            0.05,
            "Distance of the style from the average: 0 is the average volume, 1 is the seed's "
            "own; lower is more typical but less varied",
        )
        self.real_found, self.generated_found = AvailabilityLine(), AvailabilityLine()
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
        self.real.changed.connect(self._count_real)
        for changed in (
            self.origin.currentIndexChanged,
            self.model.changed,
            self.folder.changed,
        ):
            changed.connect(self._count_generated)
        for line in (self.real_found, self.generated_found):
            line.changed.connect(self.completeChanged)
        self._count_real()
        self._count_generated()

    @property
    def origins(self) -> Origins | None:
        """Origins of the volumes; None if no folder of real ones is chosen."""
        real = self.real.path
        if real is None:
            return None
        origin = cast(Origin, self.origin.chosen)
        generated = {"bundled": None, "model": self.model.path, "folder": self.folder.path}
        return Origins(real, origin, generated[origin], self.psi.value())

    @property
    def availability(self) -> tuple[Availability, Availability] | None:
        """The available real and generated volumes; None while unknown."""
        real, generated = self.real_found.availability, self.generated_found.availability
        return None if real is None or generated is None else (real, generated)

    def isComplete(self) -> bool:
        """Return whether there are enough of both kinds for the smallest study."""
        return self.availability is not None and all(one.enough for one in self.availability)

    def _count_real(self) -> None:
        origins = self.origins
        if origins is None:
            self.real_found.reset("Choose a folder, or drop it here.")
        else:
            self.real_found.count(origins.real_source)

    def _count_generated(self) -> None:
        origin = cast(Origin, self.origin.chosen)
        paths = {"model": self.model, "folder": self.folder}
        for kind, line in paths.items():
            self._form.setRowVisible(line, origin == kind)
        self._form.setRowVisible(self.psi, origin != "folder")
        self._seeds.setVisible(origin != "folder")
        path = paths[origin].path if origin in paths else None
        if path is None and origin in paths:
            self.generated_found.reset(f"Choose a {origin}, or drop it here.")
        else:
            # Neither the real volumes nor the truncation change how many there are.
            self.generated_found.count(Origins(Path(), origin, path, 1).generated_source)

    def _drop_real(self, path: Path) -> None:
        self.real.set_path(path)

    def _drop_generated(self, path: Path) -> None:
        origin = "folder" if path.is_dir() else "model"
        self.origin.choose(origin)
        {"model": self.model, "folder": self.folder}[origin].set_path(path)


class AvailabilityLine(QWidget):
    """Shows how many volumes a source offers, which are counted in the background.

    Signals
    -------
    changed
        The count is known, or no longer known.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.availability: Availability | None = None
        self.text = hint("")
        self._make: Callable[[], StudySource] | None = None
        self._job: Job | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_COUNT_AFTER_MS)
        self._timer.timeout.connect(self._count)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.text)

    def count(self, make: Callable[[], StudySource]) -> None:
        """Count the volumes of a source, after a pause in case another one is chosen."""
        self.reset("Counting…")
        self._make = make
        self._timer.start()

    def reset(self, text: str) -> None:
        """Discard the count, and show a text instead."""
        self._timer.stop()
        self._make = self._job = None
        self._show(None, text)

    def _count(self) -> None:
        make = self._make
        if make is not None:
            self._job = Job(partial(_count, make))
            self._job.succeeded.connect(self._on_found)
            self._job.failed.connect(self._on_failure)
            self._job.start()

    def _on_found(self, found: Availability) -> None:
        if self.sender() is self._job:
            self._show(found, found.sentence)

    def _on_failure(self, error: BaseException) -> None:
        if self.sender() is self._job:
            self._show(None, sentence(error))

    def _show(self, availability: Availability | None, text: str) -> None:
        self.availability = availability
        self.text.setText(breakable(text))
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
        """Choose the dropped file or folder."""
        path = dropped_path(event)
        if path is not None:
            event.acceptProposedAction()
            self._take(path)


def _count(make: Callable[[], StudySource], progress: Progress) -> Availability:
    return count_volumes(make())
