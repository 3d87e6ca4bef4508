"""The diameter of one artery of the volume, as a slider in mm."""

import math
from collections.abc import Callable

from cowgan.errors import Cancelled
from cowgan.latent.artery_steering import SteeringOutcome, SteeringStep, steer
from cowgan.measure.communicating_courses import BodySide
from cowgan.segmentation.artery_attributes import ATTRIBUTES, STEERED, artery_finder
from cowgan.synthesis import LatentState
from cowgan.text import within_sentence
from napari_cowgan.explorer.explorer_model import ExplorerModel
from napari_cowgan.explorer.live_measurement import Measured
from napari_cowgan.explorer.search_row import SearchRow
from napari_cowgan.widgets.jobs import Job
from napari_cowgan.widgets.sliders import Slider

_PCOM_RANGE_MM, _ARTERY_RANGE_MM = (0.0, 4.0), (0.5, 7.0)
_LEAST_TOLERANCE_MM = 0.02


class SteeringRow(SearchRow):
    """The diameter of an artery, which is changed in the volume at hand.

    Parameters
    ----------
    model : ExplorerModel
        The model to follow and to change.
    key : str
        The diameter, one of `cowgan.segmentation.artery_attributes.STEERED`.
    """

    def __init__(self, model: ExplorerModel, key: str) -> None:
        attribute = ATTRIBUTES[key]
        self._artery = STEERED[key]
        self._name = attribute.title.removesuffix(" diameter")
        self._spoken = within_sentence(self._name)
        self._measured: Measured | None = None
        self._from: LatentState | None = None
        self._steered: tuple[LatentState, LatentState] | None = None
        super().__init__(
            model,
            attribute,
            self._new_slider(attribute.digits),
            f"{attribute.title}. It is drawn as wanted into the volume, and the model's styles and "
            "noise are moved until it makes such a volume",
        )
        # Until it is known how wide the artery is.
        self.slider.setEnabled(False)
        self.slider.moved.connect(self._on_moved)
        self._mark()

    @property
    def moot(self) -> bool:
        """Whether something else has changed since a search began."""
        return self._from != self._model.latent

    def reset(self) -> None:
        """Take back what this slider did last, as an undoable step."""
        self.give_up()
        if self._steered is not None and self._steered[1] == self._model.latent:
            self._model.take(self._steered[0], f"“{self._name}”")

    def refresh(self) -> None:
        """Follow the state of the model."""
        self._mark()
        if self._measured is not None and self._measured.state != self._model.latent:
            self.label.setText(self.attribute.title)
        if self._steered is not None and self._steered[1] != self._model.latent:
            self.say("")

    def show_measured(self, measured: Measured) -> None:
        """Show the measured diameter of the current volume."""
        if measured.state != self._model.latent or self.attribute.key not in measured.values:
            return
        self._measured = measured
        value = measured.values[self.attribute.key]
        self.slider.setEnabled(isinstance(self._artery, BodySide) or not math.isnan(value))
        self.label.setText(f"{self.attribute.title}: {self._text(value)}")
        shown = 0.0 if math.isnan(value) else value
        self.slider.neutral = round(shown, self.slider.decimals())
        self.show_value(shown)

    def search(self) -> Callable[[Job], SteeringStep] | None:
        """Return the work that changes the artery."""
        synthesizer = self._model.synthesizer
        if synthesizer is None or self.moot:
            return None
        latent, asked = self._model.latent, self._asked
        tolerance = self._tolerance(_LEAST_TOLERANCE_MM)
        key, side = self.attribute.key, self._artery if isinstance(self._artery, BodySide) else None

        def work(job: Job) -> SteeringStep:
            steps = steer(synthesizer, latent, artery_finder(key), asked, tolerance, side)
            for step in steps:
                if job.cancelled:
                    raise Cancelled
                job.deliver(step)
            return step

        return work

    def show_progress(self, step: SteeringStep) -> None:
        """Say how far a search is."""
        self.say(
            f"Changing the {self._spoken} to {self._text(self._asked)}: {step.done:.0%} of the "
            f"steps, {self._text(step.diameter_mm)} so far."
        )

    def arrive(self, step: SteeringStep) -> None:
        """Show where a search ended, as an undoable step, and say so."""
        if self.moot:
            self.give_up()
            return
        before = self._model.latent
        self._model.take(step.latent, f"“{self._name}”")
        self._steered = before, self._model.latent
        self._from = None
        self._mark()
        if step.outcome is SteeringOutcome.REACHED:
            self.say(f"Reached: {self._text(step.diameter_mm)}{self._change(step.diameter_mm)}.")
        else:
            self.say(
                f"This model cannot: {self._text(step.diameter_mm)} is the nearest to "
                f"{self._text(self._asked)} that the {self._spoken} of this volume comes."
            )

    def give_up(self) -> None:
        """Forget a search, and show the measured diameter again."""
        self._from = None
        self.say("")
        if self._measured is not None:
            self.show_measured(self._measured)

    def _new_slider(self, digits: int) -> Slider:
        pcom = isinstance(self._artery, BodySide)
        lowest, highest = _PCOM_RANGE_MM if pcom else _ARTERY_RANGE_MM
        absent = ". 0 makes it absent; from there, any other makes it present" if pcom else ""
        slider = Slider(
            lowest,
            highest,
            lowest,
            f"Diameter of the {self._spoken} as measured. Move it, or type a value, and the "
            f"volume is changed until it measures that, or as near as this model comes{absent}",
        )
        slider.setDecimals(digits)
        return slider

    def _text(self, value: float) -> str:
        if value and not math.isnan(value):
            return self.attribute.text(value)
        return "absent" if isinstance(self._artery, BodySide) else "not found"

    def _change(self, value: float) -> str:
        if not value or not self._before or math.isnan(self._before):
            return ""
        return f", {self.attribute.change(self._before, value)} mm"

    def _on_moved(self, value: float, gesture: object) -> None:
        measured = self._measured
        current = measured is not None and measured.state == self._model.latent
        known = measured.values[self.attribute.key] if measured and current else math.nan
        pcom = isinstance(self._artery, BodySide)
        self._before = 0.0 if current and pcom and math.isnan(known) else known
        self._asked, self._from = value, self._model.latent
        self.say(f"Changing the {self._spoken} to {self._text(value)}…")
        self.search_wanted.emit()

    def _mark(self) -> None:
        self._reset.setEnabled(self._steered is not None and self._steered[1] == self._model.latent)
