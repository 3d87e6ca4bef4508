"""Projection of a scan into the latent space, so that every control works on it."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QLabel, QSizePolicy, QVBoxLayout, QWidget

from cowgan.errors import CowganError
from cowgan.volume import Volume, default_affine, read_volume
from napari_cowgan.explorer.explorer_model import ExplorerModel
from napari_cowgan.explorer.favourites import Favourite
from napari_cowgan.explorer.favourites_group import FavouritesGroup
from napari_cowgan.explorer.layer import VolumeLayer
from napari_cowgan.viewer.display import layer_to_volume
from napari_cowgan.widgets.controls import hint, pixmap_of, row, text_button
from napari_cowgan.widgets.drop_field import DropField
from napari_cowgan.widgets.fields import Choice
from napari_cowgan.widgets.jobs import Job, JobBar
from napari_cowgan.widgets.plots import Plot
from napari_cowgan.widgets.problems import show_problem

if TYPE_CHECKING:
    import napari

    from cowgan.latent.inversion import Finding
    from cowgan.latent.projection_files import ProjectionReport

SCAN_LAYER = "My scan"
_FILTERS = "Images (*.nii *.nii.gz *.mha *.mhd *.nrrd *.dcm);;All files (*)"
_STAGES = (("Closer: block by block", "w+"), ("Quick: one style", "w"))
_EMPTY = (
    "Choose a TOF MRA, and project it: the explorer looks for the latents whose volume looks like "
    "it, as far as this model can make it."
)
_PICTURE_HEIGHT = 110
_PLOT_HEIGHT = 110


class ProjectionGroup(QWidget):
    """A scan to project, progress with picture and losses, and the result.

    Parameters
    ----------
    viewer : napari.Viewer
        Its selected image can be projected; the scan is shown there beside the result.
    model : ExplorerModel
        Takes the state that is found.
    favourites : FavouritesGroup
        Keeps it too.
    """

    def __init__(
        self, viewer: "napari.Viewer", model: ExplorerModel, favourites: FavouritesGroup
    ) -> None:
        super().__init__()
        self._viewer, self._model, self._favourites = viewer, model, favourites
        self._shown = VolumeLayer(viewer, SCAN_LAYER)
        self._scan: Volume | None = None
        self.file = DropField(
            "explorer/scan", "Scan to project", "A TOF MRA, of any format", _FILTERS
        )
        self.start = text_button("Project", "Look for the latents of the scan named above")
        self.start_layer = text_button(
            "Project the selected layer", "Look for the latents of the image selected in napari"
        )
        self.stage = Choice(
            "explorer/projection_stage",
            _STAGES,
            "Closer finds a style for each block, and noise; quick finds one style for all blocks, "
            "in a tenth of the time",
        )
        self.job = JobBar()
        self.picture = QLabel()
        self.picture.setAccessibleName("Scan, projection and difference, from above")
        self.picture.setToolTip("Scan, projection and difference, from above")
        self.picture.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.plot = Plot("Loss of each step")
        self.plot.setFixedHeight(_PLOT_HEIGHT)
        self._curve = self.plot.plot()
        self.outcome = hint(_EMPTY)
        self.beside = QCheckBox("Show the scan")
        self.beside.setToolTip(
            "Show the scan as a layer at the place of the volume, to compare edits with it"
        )
        self._arrange()
        self.start.clicked.connect(self.project_file)
        self.start_layer.clicked.connect(self.project_layer)
        self.file.changed.connect(self._refresh)
        self.beside.toggled.connect(self._show_scan)
        self.job.running_changed.connect(self._refresh)
        viewer.layers.selection.events.active.connect(self._refresh)
        model.model_changed.connect(self._on_model)
        self._checkpoint = model.checkpoint
        self._refresh()

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.file)
        layout.addWidget(self.stage)
        layout.addLayout(row(self.start, self.start_layer))
        layout.addWidget(self.job)
        for widget in (self.picture, self.plot, self.outcome, self.beside):
            layout.addWidget(widget)
        for widget in (self.picture, self.plot, self.beside):
            widget.hide()

    def project_file(self) -> None:
        """Project the file that is named in the line."""
        path = self.file.path
        if path is not None:
            self._project(partial(_of_file, path), path.name)

    def project_layer(self) -> None:
        """Project the image that is selected in napari."""
        layer = self._viewer.layers.selection.active
        if isinstance(layer, Image):
            data, meta, _ = layer.as_layer_data_tuple()
            self._project(partial(_of_layer, data, meta), layer.name)

    def _project(self, read: Any, name: str) -> None:
        checkpoint, synthesizer = self._model.checkpoint, self._model.synthesizer
        if checkpoint is None or synthesizer is None:
            return
        stage, device = self.stage.chosen, str(synthesizer.device)

        def work(job: Job) -> "tuple[str, ProjectionReport]":
            from cowgan.latent.inversion import project
            from cowgan.latent.projection_files import ProjectionReport

            volume, origin = read()
            found = project(
                volume,
                checkpoint,
                stage,  # type: ignore[arg-type]
                device,
                progress=job,
                on_update=job.deliver,
                origin=origin,
            )
            return name, ProjectionReport.of(found)

        self.outcome.setText("Looking for the latents of the scan…")
        self.plot.apply_theme(self._viewer.theme, "Step", "Loss")
        self.job.run(
            "Projecting",
            work,
            self._on_found,
            self._on_failure,
            on_stop=lambda: self.outcome.setText(_EMPTY),
            on_part=self._on_part,
        )

    def _on_part(self, finding: "Finding") -> None:
        from cowgan.latent.projection_files import comparison_picture

        picture = pixmap_of(comparison_picture(finding.scan, finding.volume, ("axial",)))
        width = max(self.width(), 100)
        self.picture.setPixmap(
            picture.scaled(
                width,
                _PICTURE_HEIGHT,
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
        )
        self._curve.setData(list(finding.losses))
        self.picture.show()
        self.plot.show()

    def _on_found(self, result: "tuple[str, ProjectionReport]") -> None:
        name, report = result
        finding, quality = report.projection.result, report.qualities[-1]
        self._on_part(finding)
        with self._model.step(f"project {name}"):
            self._model.take(finding.state, f"project {name}")
            kept = [*self._favourites.favourites(), Favourite(name, finding.state)]
            self._favourites.edit_favourites(kept, f"keep {name}")
        distance = (
            "" if quality.centreline_mm is None else f", centrelines {quality.centreline_mm:.1f} mm"
        )
        stopped = "" if report.projection.complete else "Stopped early. "
        self.outcome.setText(
            f"{stopped}{' '.join(report.projection.target.remarks)} Vessel Dice "
            f"{quality.vessel_dice:.2f}{distance}, PSNR {quality.psnr:.0f} dB. It is shown, and "
            "among the favourites."
        )
        scan = report.projection.target.volume
        # At the place of the volumes that the model makes, to lie upon them.
        self._scan = Volume(scan.data, default_affine(scan.shape, scan.spacing_mm), scan.provenance)
        self.beside.show()
        self._show_scan(self.beside.isChecked())

    def _on_failure(self, error: BaseException) -> None:
        self.outcome.setText(_EMPTY)
        show_problem(self, error)

    def _show_scan(self, wanted: bool) -> None:
        if wanted and self._scan is not None:
            self._shown.show(self._scan)
        else:
            self._shown.remove()

    def _on_model(self) -> None:
        if self._model.checkpoint is not self._checkpoint:
            self._checkpoint = self._model.checkpoint
            self.job.stop()
            self.outcome.setText(_EMPTY)
            for widget in (self.picture, self.plot):
                widget.hide()
        self._refresh()

    def _refresh(self, *_: object) -> None:
        ready = self._model.checkpoint is not None and not self.job.running
        self.start.setEnabled(ready and self.file.path is not None)
        active = self._viewer.layers.selection.active
        self.start_layer.setEnabled(ready and isinstance(active, Image))


def _of_file(path: Path) -> tuple[Volume, str]:
    from cowgan.volume import image_sha256

    if not path.exists():
        raise CowganError(f"There is no file {path}.")
    return read_volume(path), f"{path.name}, sha256 {image_sha256(path)}"


def _of_layer(data: Any, meta: dict[str, Any]) -> tuple[Volume, str]:
    return layer_to_volume(data, meta), f"layer {meta.get('name')}"
