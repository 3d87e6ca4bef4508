"""Control group that saves a label map, and adds it to a training set."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFormLayout, QLineEdit, QMessageBox, QVBoxLayout, QWidget

from cowgan.errors import CowganError
from cowgan.volume import Volume
from napari_cowgan.segmentation.label_layers import LabelLayers
from napari_cowgan.segmentation.tasks import (
    LayerState,
    add_to_set,
    look_into_set,
    save,
    suggested_name,
)
from napari_cowgan.widgets.controls import breakable, hint, row, text_button
from napari_cowgan.widgets.dialogs import ask_for_file
from napari_cowgan.widgets.drop_field import DropField
from napari_cowgan.widgets.jobs import Job, JobBar
from napari_cowgan.widgets.latest_job import LatestJob
from napari_cowgan.widgets.problems import sentence, show_problem

if TYPE_CHECKING:
    from cowgan.segmentation.training_set import TrainingSet

_NIFTI = "NIfTI (*.nii.gz *.nii)"
_PAUSE_MS = 400
"""Time without typing after which the folder of the training set is looked into."""


class SaveGroup(QWidget):
    """Saving of the label map that the user works on.

    Parameters
    ----------
    layers : LabelLayers
        Holds that label map.
    reader : callable
        Returns a function that reads the scan of that label map, or None if no scan is open.
    """

    def __init__(
        self, layers: LabelLayers, reader: Callable[[], Callable[[], Volume] | None]
    ) -> None:
        super().__init__()
        self._layers = layers
        self._reader = reader
        self._suggested = ""
        self._set: TrainingSet | None = None
        self.question: QMessageBox | None = None
        self.name = QLineEdit()
        self.name.setToolTip("Name of the case, from which files are named")
        self.name.setAccessibleName("Name of the case")
        self.save = text_button(
            "Save label map…",
            "Save the labels as NIfTI on the grid and axes of the scan, with a JSON file on the "
            "network, the scan, and whether it was edited by hand",
        )
        self.folder = DropField(
            "segmentation/training_set",
            "Folder of a training set",
            "Folder with images and labels to train networks on; made if needed",
        )
        self.add = text_button(
            "Add to training set",
            "Copy the scan and its label map to the training set, for cowgan segment train",
        )
        self.content = hint("")
        self.job = JobBar()
        self.outcome = hint("")
        self.looking = LatestJob(self, _PAUSE_MS)
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setVerticalSpacing(4)
        form.addRow("Name", self.name)
        form.addRow("Set", self.folder)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(form)
        layout.addWidget(self.content)
        layout.addLayout(row(self.save, self.add))
        layout.addWidget(self.job)
        layout.addWidget(self.outcome)
        self.save.clicked.connect(self.choose_file)
        self.add.clicked.connect(self._add)
        self.folder.changed.connect(self._look)
        self.name.textChanged.connect(self._refresh)
        self.looking.found.connect(self._show_set)
        self.looking.failed.connect(self._show_no_set)
        self.job.running_changed.connect(self._refresh)
        layers.changed.connect(self._on_layer)
        self._show_outcome("")
        self._on_layer()
        self._look()

    # Label map

    def choose_file(self) -> None:
        """Ask for a file, then save the label map."""
        suggested = f"{self.name.text().strip() or 'labels'}_dseg.nii.gz"
        ask_for_file(self, "Save label map", self.save_as, _NIFTI, save_as=suggested)

    def save_as(self, path: Path) -> None:
        """Save the label map in the background; the dialog has asked whether to replace a file."""
        state, layer = self._layers.state(), self._layers.followed
        if state is None or layer is None:
            return

        def show(written: Path) -> None:
            self._layers.saved(layer, state[0])
            self._show_outcome(f"Saved {written}")

        self._run(partial(_save, state, path), show)

    # Training set

    def add_to_set(self, *, replace: bool = False) -> None:
        """Add the label map and its scan to the training set in the background."""
        state, read, folder = self._layers.state(), self._reader(), self.folder.path
        name, layer = self.name.text().strip(), self._layers.followed
        if state is None or layer is None or folder is None:
            return
        if read is None:
            self._show_outcome("Choose the scan that the label map belongs to as image.")
            return

        def show(found: "TrainingSet") -> None:
            self._layers.saved(layer, state[0])
            self._show_set(found)
            self._show_outcome(f"{'Replaced' if replace else 'Added'} {name} in {folder}")

        def work(_: Job) -> "TrainingSet":
            return add_to_set(state, read, folder, name, replace=replace)

        self._run(work, show)

    def _add(self) -> None:
        name = self.name.text().strip()
        if self._set is not None and name in self._set:
            self._ask_to_replace(name)
        else:
            self.add_to_set()

    def _ask_to_replace(self, name: str) -> None:
        box = self.question = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("CoW-GAN")
        box.setText(f"The training set has a case {name} already.")
        box.setInformativeText("Another scan needs another name.")
        replace = box.addButton("Replace it", QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.buttonClicked.connect(
            lambda button: self.add_to_set(replace=True) if button is replace else None
        )
        box.finished.connect(self._on_answered)
        box.open()

    def _on_answered(self) -> None:
        self.question = None

    def _look(self) -> None:
        """Look into the folder of the training set."""
        self._set = None
        folder = self.folder.path
        self.content.setVisible(folder is not None)
        self.content.setText("Looking into the folder…")
        if folder is None:
            self.looking.stop()
        else:
            self.looking.request(lambda: partial(_look_into, folder))
        self._refresh()

    def _show_set(self, found: "TrainingSet") -> None:
        self._set = found
        count = f"{len(found) or 'no'} case{'s' * (len(found) != 1)}"
        scheme = f" with labels of {found.scheme.name}" if found.scheme is not None else ""
        self.content.setText(f"The set has {count}{scheme}.")
        self._refresh()

    def _show_no_set(self, error: BaseException) -> None:
        self.content.setText(breakable(sentence(error)))

    # State of the group

    def _on_layer(self) -> None:
        layer, image = self._layers.followed, self._layers.image
        if layer is not None:
            otherwise = layer.name if image is None else image.name
            suggested = suggested_name(self._layers.provenance, otherwise)
            if suggested != self._suggested:
                self._suggested = suggested
                self.name.setText(suggested)
                # The beginning tells cases apart better than the end.
                self.name.setCursorPosition(0)
                self._show_outcome("")
        self._refresh()

    def _refresh(self) -> None:
        idle = not self.job.running and self._layers.followed is not None
        self.save.setEnabled(idle)
        self.add.setEnabled(idle and self._set is not None and bool(self.name.text().strip()))

    def _run(self, work: Callable[[Job], Any], show: Callable[[Any], None]) -> None:
        self._show_outcome("")
        self.job.run("Saving", work, show, self._fail)

    def _fail(self, error: BaseException) -> None:
        if isinstance(error, CowganError):
            self._show_outcome(error.sentence)
        else:
            show_problem(self, error)

    def _show_outcome(self, text: str) -> None:
        self.outcome.setText(breakable(text))
        self.outcome.setVisible(bool(text))


def _save(state: LayerState, path: Path, _job: Job) -> Path:
    return save(state, path)


def _look_into(folder: Path, _job: Job) -> "TrainingSet":
    return look_into_set(folder)
