"""Export of volumes and session files."""

# superqt is only partly typed.
# mypy: allow-untyped-calls

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QFormLayout,
    QLabel,
    QMessageBox,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from cowgan.progress import Progress
from cowgan.randomness import MAX_SEED
from cowgan.synthesis import ExportedVolume, export_path, export_volumes
from cowgan.synthesis.export import MANIFEST
from cowgan.volume import write_nifti
from napari_cowgan.explorer.explorer_model import ExplorerModel
from napari_cowgan.explorer.saved_session import SUFFIX
from napari_cowgan.widgets.controls import breakable, row, text_button
from napari_cowgan.widgets.dialogs import ask_for_file
from napari_cowgan.widgets.jobs import JobBar
from napari_cowgan.widgets.problems import show_problem
from napari_cowgan.widgets.seed_box import SeedBox

_NIFTI = "NIfTI (*.nii.gz *.nii)"
_SESSION = f"CoW-GAN session (*{SUFFIX})"


class ExportGroup(QWidget):
    """Export of one volume, of many seeds, and session files."""

    open_requested = Signal(object)
    save_requested = Signal(object)

    def __init__(self, model: ExplorerModel) -> None:
        super().__init__()
        self._model = model
        self.volume = text_button(
            "Export this volume…",
            "Save the shown volume as NIfTI, with a JSON file that records how it was made",
        )
        self.count = QSpinBox()
        self.count.setRange(1, 100_000)
        self.count.setValue(10)
        self.count.setToolTip("Number of volumes to write")
        self.first = SeedBox("First seed; the others follow in order")
        self.many = text_button(
            "Export these seeds…",
            "Write a NIfTI and a JSON file for each seed, and a manifest.csv, to a folder",
        )
        self.save_session = text_button(
            "Save session…", "Save the model's name, all sliders, favourites, A and B to a file"
        )
        self.open_session = text_button("Open session…", "Open a saved session")
        self.job = JobBar()
        self.outcome = QLabel()
        self.outcome.setWordWrap(True)
        self.outcome.hide()
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Volumes", self.count)
        form.addRow("From seed", self.first)
        form.addRow(self.first.problem)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.volume)
        layout.addLayout(form)
        layout.addWidget(self.many)
        layout.addWidget(self.job)
        layout.addWidget(self.outcome)
        layout.addLayout(row(self.save_session, self.open_session))
        self.volume.clicked.connect(self._choose_volume_file)
        self.many.clicked.connect(self._choose_folder)
        self.save_session.clicked.connect(self._choose_session_to_save)
        self.open_session.clicked.connect(self._choose_session_to_open)
        model.model_changed.connect(self._refresh)
        self.job.running_changed.connect(self._refresh)
        self._refresh()

    def export_volume(self, path: Path) -> None:
        """Write the complete shown volume to a NIfTI file, in the background."""
        synthesizer, latent = self._model.synthesizer, self._model.latent
        if synthesizer is None:
            return

        def work(progress: Progress) -> Path:
            write_nifti(synthesizer.render(latent, None, lambda: progress.cancelled), path)
            return path

        self._run(
            "Volume", work, lambda written: self._show_outcome(f"Saved {written}"), "Stopped."
        )

    def export_many(self, folder: Path, overwrite: bool = False) -> None:
        """Write the chosen number of seeds to a folder, in the background."""
        synthesizer, latent = self._model.synthesizer, self._model.latent
        if synthesizer is None:
            return
        states = [
            latent.with_seed((self.first.value() + i) % (MAX_SEED + 1))
            for i in range(self.count.value())
        ]
        if not overwrite and any(export_path(folder, state).exists() for state in states):
            self._ask_to_overwrite(folder)
            return

        def work(progress: Progress) -> list[ExportedVolume]:
            return export_volumes(synthesizer, states, folder, overwrite, progress)

        def show(exported: list[ExportedVolume]) -> None:
            self._show_outcome(f"Saved {len(exported)} volumes and {MANIFEST} to {folder}")

        kept = f"Stopped. The volumes finished so far are kept and listed in {MANIFEST}."
        self._run("Volume", work, show, kept)

    def _run(
        self,
        title: str,
        work: Callable[[Progress], object],
        show: Callable[..., None],
        when_stopped: str,
    ) -> None:
        self.outcome.hide()
        self.job.run(
            title,
            work,
            show,
            lambda error: show_problem(self, error),
            lambda: self._show_outcome(when_stopped),
        )

    def _show_outcome(self, text: str) -> None:
        self.outcome.setText(breakable(text))
        self.outcome.show()

    def _ask_to_overwrite(self, folder: Path) -> None:
        box = QMessageBox(self)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setIcon(QMessageBox.Icon.Question)
        box.setText(f"The folder {folder} already contains some of these volumes.")
        replace_button = box.addButton("Replace them", QMessageBox.ButtonRole.DestructiveRole)
        box.setDefaultButton(box.addButton(QMessageBox.StandardButton.Cancel))
        box.buttonClicked.connect(
            lambda button: self.export_many(folder, True) if button is replace_button else None
        )
        box.open()

    def _refresh(self) -> None:
        ready = self._model.checkpoint is not None
        self.save_session.setEnabled(ready)
        for button in (self.volume, self.many):
            button.setEnabled(ready and not self.job.running)

    def _choose_volume_file(self) -> None:
        suggested = f"seed_{self._model.latent.seed:06d}.nii.gz"
        ask_for_file(self, "Export volume", self.export_volume, _NIFTI, save_as=suggested)

    def _choose_folder(self) -> None:
        ask_for_file(self, "Folder for the volumes", self.export_many, folder=True)

    def _choose_session_to_save(self) -> None:
        ask_for_file(
            self, "Save session", self.save_requested.emit, _SESSION, save_as=f"session{SUFFIX}"
        )

    def _choose_session_to_open(self) -> None:
        ask_for_file(self, "Open session", self.open_requested.emit, _SESSION)
