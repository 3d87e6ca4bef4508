"""Sliders for what is measured, and the search for the directions of some."""

from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any, cast

from qtpy.QtWidgets import QVBoxLayout, QWidget

from cowgan.checkpoint import Checkpoint
from cowgan.errors import CowganError
from cowgan.latent.artery_steering import SteeringStep
from cowgan.latent.attribute_files import (
    BUNDLED_ATTRIBUTES,
    load_attributes,
    save_attributes,
)
from cowgan.latent.attributes import AttributeDirection, fit
from cowgan.progress import Progress
from cowgan.segmentation.artery_attributes import (
    ATTRIBUTES,
    FITTED,
    STEERED,
    artery_segmenter,
    measured_values,
)
from cowgan.segmentation.attribute_samples import SAMPLES, kept_samples, measured_samples
from napari_cowgan.explorer.attribute_row import AttributeRow
from napari_cowgan.explorer.explorer_model import ExplorerModel
from napari_cowgan.explorer.kept_files import kept_path
from napari_cowgan.explorer.live_measurement import Measured
from napari_cowgan.explorer.steering_row import SteeringRow
from napari_cowgan.widgets.controls import hint, row, text_button
from napari_cowgan.widgets.jobs import JobBar
from napari_cowgan.widgets.latest_job import LatestJob
from napari_cowgan.widgets.problems import show_problem

_NONE = (
    "This model has no attribute sliders yet. Finding them measures 2,000 of its volumes, which "
    "takes about an hour; it can be stopped and continued."
)
_CANNOT = "No direction of this model changes these measurably:"
_MORE = "Tick Single arteries, under Measurements, for the diameters of other arteries."
_PAUSE_MS = 400
"""Time after the last move of a slider until its value is searched."""
_NOTHING = "Nothing that is measured follows a direction of this model."


class AttributeGroup(QWidget):
    """A slider for each attribute that the model can change, in its own unit.

    Those of all vessels, and the presence of PComs, follow directions that were found before;
    diameters of single arteries are steered in the volume at hand.

    Parameters
    ----------
    model : ExplorerModel
        The model to follow.
    """

    def __init__(self, model: ExplorerModel) -> None:
        super().__init__()
        self._model = model
        self._checkpoint: Checkpoint | None = None
        self._last: Measured | None = None
        self._searched: AttributeRow | SteeringRow | None = None
        self.rows: list[AttributeRow] = []
        self.steering_rows = [SteeringRow(model, key) for key in STEERED]
        self.searching = LatestJob(self, _PAUSE_MS)
        self.empty = hint(_NONE)
        self.job = JobBar()
        self.find_button = text_button(
            "Find attributes",
            "Measure volumes of this model and find the directions that change vessel volume, "
            "diameter and the PComs",
        )
        self.stop_button = text_button("Stop", "Leave the volume as it is")
        self.stop_button.hide()
        self._rows_layout = QVBoxLayout()
        self._rows_layout.setContentsMargins(0, 0, 0, 0)
        self._rows_layout.setSpacing(2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.empty)
        layout.addLayout(self._rows_layout)
        layout.addWidget(self.job)
        layout.addLayout(row(self.find_button, 1))
        self.missing = hint("")
        layout.addWidget(self.missing)
        for steering_row in self.steering_rows:
            steering_row.search_wanted.connect(self._search_value)
            layout.addWidget(steering_row)
        self.more = hint(_MORE)
        layout.addWidget(self.more)
        layout.addWidget(self.stop_button)
        self.searching.started.connect(self._offer_to_stop)
        self.searching.part.connect(self._show_progress)
        self.searching.found.connect(self._arrive)
        self.stop_button.clicked.connect(self.stop)
        self.searching.failed.connect(self._on_failed)
        self.find_button.clicked.connect(self.search)
        self.job.running_changed.connect(self.find_button.setDisabled)
        model.model_changed.connect(self._on_model)
        model.state_changed.connect(self._refresh)
        self._on_model()

    def search(self) -> None:
        """Measure volumes in the background and find directions; continues an earlier search."""
        synthesizer = self._model.synthesizer
        if synthesizer is None:
            return
        checkpoint = synthesizer.checkpoint

        def work(progress: Progress) -> tuple[list[AttributeDirection], int]:
            segmenter = artery_segmenter()
            samples = measured_samples(
                synthesizer, segmenter, SAMPLES, kept_samples(checkpoint), progress
            )
            found = fit(
                synthesizer,
                samples,
                FITTED,
                lambda volume: measured_values(volume, segmenter),
                progress=progress,
            )
            return found, len(samples.seeds)

        def show(result: tuple[list[AttributeDirection], int]) -> None:
            found, samples = result
            kept = _kept_path(checkpoint)
            if kept is not None:
                try:
                    save_attributes(kept, found, samples, checkpoint)
                except CowganError as error:
                    self._on_problem(error)
            self._use(found)
            self.empty.setText(_NOTHING)

        self.job.run("Measuring", work, show, self._on_problem)

    def show_measured(self, measured: Measured) -> None:
        """Show new measurements in the sliders."""
        self._last = measured
        for each in self._every_row():
            each.show_measured(measured)
        # Those of arteries come later than the others, for which their rows stay.
        self._show_rows_of(measured.values)

    def _show_rows_of(self, keys: Container[str]) -> None:
        for each in self.steering_rows:
            if each.attribute.key in keys:
                each.show()
        self.more.setVisible(any(each.isHidden() for each in self.steering_rows))

    def stop(self) -> None:
        """Stop the search of a value, and leave the volume as it is."""
        self.searching.stop()
        self._put_stop_away()
        if self._searched is not None:
            self._searched.give_up()
            self._searched = None

    def _offer_to_stop(self) -> None:
        """Show the button below the slider whose value is searched."""
        if self._searched is not None:
            self._searched.layout().addWidget(self.stop_button)
            self.stop_button.show()

    def _put_stop_away(self) -> None:
        self.stop_button.hide()
        self.layout().addWidget(self.stop_button)

    def _every_row(self) -> list[AttributeRow | SteeringRow]:
        return [*self.rows, *self.steering_rows]

    def _on_problem(self, error: BaseException) -> None:
        show_problem(self, error)

    def _on_model(self) -> None:
        checkpoint = self._model.checkpoint
        self.setEnabled(checkpoint is not None)
        if checkpoint is None or checkpoint is self._checkpoint:
            return
        self._checkpoint = checkpoint
        self.job.stop()
        self._last = None
        for each in self.steering_rows:
            each.hide()
        self.empty.setText(_NONE)
        self._use(_known_attributes(checkpoint))

    def _use(self, found: Sequence[AttributeDirection]) -> None:
        self.stop()
        for old in self.rows:
            self._rows_layout.removeWidget(old)
            old.deleteLater()
        known = [each for each in found if each.attribute in ATTRIBUTES]
        self._model.attributes = [each.direction for each in known]
        self.rows = [AttributeRow(self._model, each) for each in known]
        for new in self.rows:
            new.search_wanted.connect(self._search_value)
            self._rows_layout.addWidget(new)
        self.empty.setVisible(not self.rows)
        self.find_button.setVisible(not self.rows)
        offered = {each.attribute for each in known}
        # Whether PComs are there is also a matter of their diameter.
        others = [e.title for e in FITTED if e.key not in offered and not e.presence]
        self.missing.setText(f"{_CANNOT} {', '.join(others)}.")
        self.missing.setVisible(bool(self.rows) and bool(others))
        if self._last is not None:
            self.show_measured(self._last)

    def _search_value(self) -> None:
        """Search the value that a slider was moved to, instead of that of any other."""
        sought = cast(AttributeRow | SteeringRow, self.sender())
        if self._searched is not None and self._searched is not sought:
            self._searched.give_up()
        self._searched = sought
        self._put_stop_away()
        self.searching.request(sought.search)

    def _show_progress(self, step: SteeringStep) -> None:
        if isinstance(self._searched, SteeringRow):
            self._searched.show_progress(step)

    def _arrive(self, result: Any) -> None:
        sought, self._searched = self._searched, None
        self._put_stop_away()
        if sought is not None:
            sought.arrive(result)

    def _on_failed(self, error: BaseException) -> None:
        self.stop()
        self._on_problem(error)

    def _refresh(self) -> None:
        for each in self._every_row():
            each.refresh()
        if self._searched is not None and self._searched.moot:
            self.stop()


def _kept_path(checkpoint: Checkpoint) -> Path | None:
    return kept_path(checkpoint, "attributes", ".json")


def _known_attributes(checkpoint: Checkpoint) -> Sequence[AttributeDirection]:
    """Return those found earlier, else the bundled ones; none for another or a damaged file."""
    for path in (_kept_path(checkpoint), BUNDLED_ATTRIBUTES):
        if path is not None and path.exists():
            try:
                return load_attributes(path, checkpoint).directions
            except CowganError:
                continue
    return ()
