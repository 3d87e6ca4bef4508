"""Control group for what is evaluated, which is remembered."""

import os
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFormLayout, QVBoxLayout, QWidget

from cowgan.evaluation.comparison import MIN_SUBJECTS
from cowgan.evaluation.evaluation_request import EvaluationRequest
from cowgan.evaluation.volume_sets import DEFAULT_COUNT
from napari_cowgan.evaluation.evaluation_process import EvaluationTask
from napari_cowgan.evaluation.tasks import free_folder
from napari_cowgan.widgets.controls import Section
from napari_cowgan.widgets.drop_field import DropField
from napari_cowgan.widgets.fields import Choice, Count, Tick
from napari_cowgan.widgets.guards import WheelGuard

_BUNDLED, _MODEL, _FOLDER = "bundled", "model", "folder"
_ORIGINS = (
    ("The bundled model", _BUNDLED),
    ("Another model", _MODEL),
    ("A folder of volumes", _FOLDER),
)
_MODELS = "Models (*.safetensors *.pt)"


class RequestGroup(QWidget):
    """Real and generated volumes, additions, and the folder for the report.

    Signals
    -------
    changed
        Something else is chosen.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.real = DropField(
            "evaluation/real",
            "Training bank or folder",
            "Bank that the model was trained on, or a folder of real volumes",
        )
        self.origin = Choice("evaluation/origin", _ORIGINS, "Origin of the generated volumes")
        self.model = DropField(
            "evaluation/model",
            "Model file",
            "Model (.safetensors, or .pt of the published code) that generates volumes",
            _MODELS,
        )
        self.folder = DropField(
            "evaluation/generated",
            "Folder with generated volumes",
            "Folder of NIfTI volumes, all of which are compared",
        )
        self.count = Count(
            "evaluation/count",
            MIN_SUBJECTS,
            10_000,
            DEFAULT_COUNT,
            "Volumes that the model generates, one per seed; more see smaller differences",
        )
        self.against = DropField(
            "evaluation/against",
            "Second model, if any",
            "Model to compare with the first, volume by volume of the same seeds",
            _MODELS,
        )
        self.run = DropField(
            "evaluation/run",
            "Training run, if any",
            "Folder of a training run, whose curves are added to the report",
        )
        self.psi_sweep = Tick(
            "evaluation/psi_sweep",
            "Several truncations",
            False,
            "Measure the model at truncations from 0.4 to 1 as well: quality against variety; it "
            "generates five times as many volumes",
        )
        self.published = {
            "medicalnet": Tick(
                "evaluation/medicalnet",
                "MedicalNet distance",
                False,
                "Add MedicalNet distance and AUC-PRD of the paper; the weights of MedicalNet "
                "(57 MB) are downloaded the first time",
            ),
            "inception": Tick(
                "evaluation/inception",
                "FID of slices",
                False,
                "Add the FID as the paper computes it; takes hours on a CPU, and the weights of "
                "Inception-v3 (96 MB) are downloaded the first time",
            ),
        }
        self.out = DropField(
            "evaluation/out",
            "Folder for the report",
            "Folder for the report; leave it empty for a new one beside the real volumes",
        )
        cores = os.cpu_count() or 1
        self.jobs = Count(
            "evaluation/jobs",
            1,
            cores,
            max(cores - 1, 1),
            "Volumes worked on at the same time; fewer need less memory",
        )
        WheelGuard(self.origin, self.count, self.jobs)
        self._form = _form()
        self._form.addRow("Real", self.real)
        self._form.addRow("Generated", self.origin)
        self._form.addRow("Model", self.model)
        self._form.addRow("Folder", self.folder)
        self._form.addRow("Number", self.count)
        self._form.addRow("Report in", self.out)
        more = QWidget()
        more_form = _form(more)
        more_form.addRow("Against", self.against)
        more_form.addRow("Run", self.run)
        for tick in (self.psi_sweep, *self.published.values()):
            more_form.addRow("", tick)
        more_form.addRow("Processes", self.jobs)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(self._form)
        layout.addWidget(Section("Additions", more, expanded=False))
        for field in (self.real, self.model, self.folder, self.out):
            field.changed.connect(self.refresh)
        self.origin.currentIndexChanged.connect(self.refresh)
        self.refresh()

    @property
    def complete(self) -> bool:
        """Whether real and generated volumes are chosen."""
        missing = self.origin.chosen != _BUNDLED and self._generated is None
        return self.real.path is not None and not missing

    def task(self) -> EvaluationTask:
        """Return what is to be done; needs to be complete."""
        real = self.real.path
        assert real is not None and self.complete
        models = self.origin.chosen != _FOLDER
        request = EvaluationRequest(
            real,
            self._generated,
            self.count.value() if models else None,
            against=self.against.path if models else None,
            psi_sweep=self.psi_sweep.isChecked() and models,
            run=self.run.path,
        )
        published = tuple(name for name, tick in self.published.items() if tick.isChecked())
        out = self.out.path or free_folder(real)
        return EvaluationTask(request, out, self.jobs.value(), published)

    def choose_model(self, path: Path) -> None:
        """Let a model generate the volumes."""
        self.model.set_path(path)
        self.origin.choose(_MODEL)

    @property
    def _generated(self) -> Path | None:
        """The model or folder; None for the bundled model, or if none is chosen."""
        origin = self.origin.chosen
        return {_BUNDLED: None, _MODEL: self.model.path, _FOLDER: self.folder.path}[origin]

    def refresh(self) -> None:
        """Show what fits the origin of the volumes, and a folder that is still free."""
        origin = self.origin.chosen
        self._form.setRowVisible(self.model, origin == _MODEL)
        self._form.setRowVisible(self.folder, origin == _FOLDER)
        self._form.setRowVisible(self.count, origin != _FOLDER)
        for field in (self.against, self.psi_sweep):
            field.setEnabled(origin != _FOLDER)
        real = self.real.path
        self.out.line.setPlaceholderText(
            "New folder" if real is None else f"{real.parent.name}/{free_folder(real).name}"
        )
        self.changed.emit()


def _form(parent: QWidget | None = None) -> QFormLayout:
    form = QFormLayout(parent)
    form.setContentsMargins(0, 0, 0, 0)
    form.setVerticalSpacing(4)
    return form
