"""Projection of a scan into the latent space, so that every control works on it."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QCheckBox, QLabel, QSizePolicy, QVBoxLayout, QWidget

from cowgan.errors import CowganError
from cowgan.synthesis import LatentState
from cowgan.volume import Volume, default_affine, read_volume
from napari_cowgan.explorer.explorer_model import ExplorerModel
from napari_cowgan.explorer.favourites import Favourite
from napari_cowgan.explorer.favourites_group import FavouritesGroup
from napari_cowgan.explorer.layer import VolumeLayer
from napari_cowgan.explorer.scan_comparison import ScanComparison
from napari_cowgan.viewer.display import layer_to_volume
from napari_cowgan.widgets.controls import breakable, hint, pixmap_of, row, text_button
from napari_cowgan.widgets.dialogs import ask_for_file
from napari_cowgan.widgets.drop_field import DropField
from napari_cowgan.widgets.fields import Choice
from napari_cowgan.widgets.jobs import Job, JobBar
from napari_cowgan.widgets.plots import Plot
from napari_cowgan.widgets.problems import show_problem

if TYPE_CHECKING:
    import napari

    from cowgan.latent.inversion import Finding
    from cowgan.latent.projection_files import ProjectionReport
    from cowgan.latent.tuning import Tuning
    from napari_cowgan.explorer.renderer import Rendered

_FILTERS = "Images (*.nii *.nii.gz *.mha *.mhd *.nrrd *.dcm);;All files (*)"
_STAGES = (
    ("Closer: block by block", "w+"),
    ("Quick: one style", "w"),
    ("Closest: also tune the weights", "pivotal"),
)
_TUNED = "use weights tuned to a scan"
_UNTUNED = "use the weights of the model"
_EMPTY = (
    "Choose a TOF MRA, and project it: the explorer looks for the latents whose volume looks like "
    "it, as far as this model can make it."
)
_SHOWN = "It is shown, and among the favourites; every control works on it."
_ON_TUNING = (
    " The tuned weights lie beside the model, and draw all volumes until they are switched off "
    "below."
)
_PICTURE_HEIGHT = 110
_PLOT_HEIGHT = 110


class ProjectionGroup(QWidget):
    """A scan to project, progress with picture and losses, and the result.

    Parameters
    ----------
    viewer : napari.Viewer
        Its selected image can be projected; the scan is shown there beside the result.
    shown : VolumeLayer
        The volume.
    model : ExplorerModel
        Takes the state that is found.
    favourites : FavouritesGroup
        Keeps it too.
    """

    def __init__(
        self,
        viewer: "napari.Viewer",
        shown: VolumeLayer,
        model: ExplorerModel,
        favourites: FavouritesGroup,
    ) -> None:
        super().__init__()
        self._viewer, self._model, self._favourites = viewer, model, favourites
        self._found: _Found | None = None
        self._tuning: Tuning | None = None
        self.file = DropField(
            "explorer/scan", "Scan to project", "A TOF MRA, of any format", _FILTERS
        )
        self.start = text_button("Project", "Look for the latents of the scan named above")
        self.start_layer = text_button(
            "Project the layer", "Look for the latents of the image selected in napari"
        )
        self.stage = Choice(
            "explorer/projection_stage",
            _STAGES,
            "Quick finds one style for all blocks; closer then finds one for each block, and "
            "noise; closest then also changes the model's weights for this scan, beside the model",
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
        self.tuned = QCheckBox("Weights tuned to the scan")
        self.tuned.setToolTip(
            "Draw volumes with the weights that were changed for this scan; without, with those of "
            "the model, whose file never changes"
        )
        self.comparison = ScanComparison(viewer, shown)
        self.save = text_button(
            "Save…",
            "Save the latents, the scan, its projection, their difference, a report and the tuned "
            "weights to a new folder",
        )
        self.open = text_button(
            "Open…", "Open the folder of a projection with this model, to go on with it"
        )
        self._arrange()
        self.start.clicked.connect(self.project_file)
        self.start_layer.clicked.connect(self.project_layer)
        self.file.changed.connect(self._refresh)
        self.tuned.clicked.connect(self._set_tuned)
        self.save.clicked.connect(self._choose_folder_to_save)
        self.open.clicked.connect(self._choose_folder_to_open)
        self.job.running_changed.connect(self._refresh)
        viewer.layers.selection.events.active.connect(self._refresh)
        model.model_changed.connect(self._on_model)
        model.state_changed.connect(self._refresh)
        self._checkpoint = model.checkpoint
        self._refresh()

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.file)
        layout.addWidget(self.stage)
        layout.addLayout(row(self.start, self.start_layer))
        layout.addWidget(self.job)
        for widget in (self.picture, self.plot, self.outcome, self.comparison, self.tuned):
            layout.addWidget(widget)
        layout.addLayout(row(self.save, self.open))
        for widget in (self.picture, self.plot, self.comparison, self.tuned):
            widget.hide()

    def follow(self, rendered: "Rendered") -> None:
        """Compare the scan with what was drawn."""
        self.comparison.follow(rendered.volume)

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

        def work(job: Job) -> "_Found":
            from cowgan.latent.inversion import project
            from cowgan.latent.projection_files import ProjectionReport

            volume, source, origin = read()
            found = project(
                volume,
                checkpoint,
                stage,  # type: ignore[arg-type]
                device,
                progress=job,
                on_update=job.deliver,
                origin=origin,
            )
            return _Found(name, source, ProjectionReport.of(found))

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

    def _on_found(self, found: "_Found") -> None:
        name, report = found.name, found.report
        finding, quality = report.projection.result, report.qualities[-1]
        self._on_part(finding)
        self._found = found
        tuning = None if finding.tuning is None else finding.tuning.named(name)
        self._take(name, finding.state, tuning, report.projection.target.volume)
        distance = (
            "" if quality.centreline_mm is None else f", centrelines {quality.centreline_mm:.1f} mm"
        )
        stopped = "" if report.projection.complete else "Stopped early. "
        self.outcome.setText(
            f"{stopped}{' '.join(report.projection.target.remarks)} Vessel Dice "
            f"{quality.vessel_dice:.2f}{distance}, PSNR {quality.psnr:.0f} dB. {_SHOWN}"
            f"{'' if tuning is None else _ON_TUNING}"
        )

    def _take(self, name: str, state: LatentState, tuning: "Tuning | None", scan: Volume) -> None:
        """Show a projection, and keep it as a favourite, as one undoable step."""
        self._tuning = tuning
        with self._model.step(f"project {name}"):
            self._model.take_tuned(state, tuning, f"project {name}")
            kept = [*self._favourites.favourites(), Favourite(name, state)]
            self._favourites.edit_favourites(kept, f"keep {name}")
        # At the place of the volumes that the model makes, to lie upon them.
        affine = default_affine(scan.shape, scan.spacing_mm)
        self.comparison.set_scan(Volume(scan.data, affine, scan.provenance))
        self._refresh()

    def _set_tuned(self, wanted: bool) -> None:
        self._model.set_tuning(self._tuning if wanted else None, _TUNED if wanted else _UNTUNED)

    def save_to(self, folder: Path) -> None:
        """Save the last projection to a new folder, in the background."""
        found, checkpoint = self._found, self._model.checkpoint
        if found is None or checkpoint is None:
            return

        def work(_: Job) -> Path:
            from cowgan.latent.projection_files import write_projection

            write_projection(folder, found.source, found.report.projection, checkpoint)
            return folder

        self.job.run(
            "Saving",
            work,
            lambda written: self.outcome.setText(breakable(f"Saved {written}")),
            self._on_failure,
        )

    def open_from(self, folder: Path) -> None:
        """Show the projection in a folder, in the background."""
        checkpoint = self._model.checkpoint
        if checkpoint is None:
            return

        def work(_: Job) -> "tuple[LatentState, Tuning | None, Volume]":
            from cowgan.latent.projection_files import SCAN, read_projection

            state, tuning = read_projection(folder, checkpoint)
            return state, tuning, read_volume(folder / SCAN)

        def show(opened: "tuple[LatentState, Tuning | None, Volume]") -> None:
            state, tuning, scan = opened
            self._found = None
            self._take(folder.name, state, tuning, scan)
            self.outcome.setText(f"{_SHOWN}{'' if tuning is None else _ON_TUNING}")

        self.job.run("Opening", work, show, self._on_failure)

    def _choose_folder_to_save(self) -> None:
        name = self._found.name.split(".")[0] if self._found else "scan"
        ask_for_file(self, "New folder", self.save_to, save_as=f"{name}_projection")

    def _choose_folder_to_open(self) -> None:
        ask_for_file(self, "Folder of a projection", self.open_from, folder=True)

    def _on_failure(self, error: BaseException) -> None:
        self.outcome.setText(_EMPTY)
        show_problem(self, error)

    def _on_model(self) -> None:
        if self._model.checkpoint is not self._checkpoint:
            self._checkpoint = self._model.checkpoint
            self.job.stop()
            self.outcome.setText(_EMPTY)
            self._found, self._tuning = None, None
            self.comparison.set_scan(None)
            for widget in (self.picture, self.plot):
                widget.hide()
        self._refresh()

    def _refresh(self, *_: object) -> None:
        ready = self._model.checkpoint is not None and not self.job.running
        self.start.setEnabled(ready and self.file.path is not None)
        active = self._viewer.layers.selection.active
        self.start_layer.setEnabled(ready and isinstance(active, Image))
        self.save.setEnabled(ready and self._found is not None)
        self.open.setEnabled(ready)
        # Undo can bring back the tuning of another scan than the last.
        self._tuning = self._model.state.tuning or self._tuning
        self.tuned.setVisible(self._tuning is not None)
        self.tuned.setChecked(self._model.state.tuning is not None)


@dataclass(frozen=True, eq=False)
class _Found:
    """What was projected, its file or else its name, and the result."""

    name: str
    source: Path | str
    report: "ProjectionReport"


def _of_file(path: Path) -> tuple[Volume, Path | str, str]:
    from cowgan.volume import image_sha256

    if not path.exists():
        raise CowganError(f"There is no file {path}.")
    return read_volume(path), path, f"{path.name}, sha256 {image_sha256(path)}"


def _of_layer(data: Any, meta: dict[str, Any]) -> tuple[Volume, Path | str, str]:
    name = f"layer {meta.get('name')}"
    return layer_to_volume(data, meta), name, name
