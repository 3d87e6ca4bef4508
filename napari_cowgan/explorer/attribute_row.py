"""One measured attribute of the volume, as a slider in its unit."""

import math
from collections.abc import Callable
from dataclasses import replace

from cowgan.errors import Cancelled
from cowgan.latent.attributes import AttributeDirection
from cowgan.latent.target_search import LIMIT_SIGMAS, Reached, reach
from cowgan.measure.vessel_attributes import Attribute, measure_vessels
from cowgan.segmentation.artery_attributes import (
    ARTERY_KEYS,
    ATTRIBUTES,
    artery_segmenter,
    artery_values,
)
from cowgan.synthesis import Edit, LatentState, Synthesizer
from cowgan.text import within_sentence
from napari_cowgan.explorer.explorer_model import ExplorerModel, with_edit
from napari_cowgan.explorer.live_measurement import Measured
from napari_cowgan.explorer.search_row import SearchRow
from napari_cowgan.widgets.jobs import Job
from napari_cowgan.widgets.sliders import Slider

_SIGMAS = 3.0


class AttributeRow(SearchRow):
    """An attribute that follows a direction.

    The slider shows the measured value. Moving it moves along the attribute's direction as far as
    is expected to reach the new value, at once; where the value is really reached is then searched
    by rendering and measuring. A presence has no value to reach: its slider moves along the
    direction, from absent to present.

    Parameters
    ----------
    model : ExplorerModel
        The model to follow and to move.
    found : AttributeDirection
        The direction, fitted to the model that is open.
    """

    def __init__(self, model: ExplorerModel, found: AttributeDirection) -> None:
        self.found = found
        self._measured: Measured | None = None
        self._base: LatentState | None = None
        self._gesture: object = None
        self._from = 0.0
        attribute = ATTRIBUTES[found.attribute]
        super().__init__(
            model, attribute, _slider(attribute, found), _explanation(attribute, found)
        )
        self.slider.moved.connect(self._on_moved)
        self.refresh()

    @property
    def sigmas(self) -> float:
        """How far the model has moved along the direction."""
        edit = self._model.find_edit(self.found.direction)
        return 0.0 if edit is None else edit.sigmas

    @property
    def moot(self) -> bool:
        """Whether something else has changed since a search began."""
        return self._base != self._without_own_edit()

    def reset(self) -> None:
        """Take back what this slider did, as an undoable step."""
        self.give_up()
        self._move_to(0.0)

    def refresh(self) -> None:
        """Follow the state of the model."""
        if self.attribute.presence:
            self.show_value(self.sigmas)
            if self._measured is None or self._measured.state != self._model.latent:
                self.say("")
        self._reset.setEnabled(bool(self.sigmas))

    def show_measured(self, measured: Measured) -> None:
        """Show the measured value of the current volume."""
        if measured.state != self._model.latent or self.attribute.key not in measured.values:
            return
        self._measured = measured
        value = measured.values[self.attribute.key]
        shown = "absent" if math.isnan(value) else self.attribute.text(value)
        self.label.setText(f"{self.attribute.title}: {shown}")
        if self.attribute.presence:
            self._say_whether_it_came(value)
        elif math.isfinite(value):
            if not self.sigmas:
                self.slider.neutral = round(value, self.slider.decimals())
            self.show_value(value)
        self._reset.setEnabled(bool(self.sigmas))

    def search(self) -> Callable[[Job], Reached] | None:
        """Return the work that finds where the asked value is measured."""
        synthesizer, latent = self._model.synthesizer, self._model.latent
        if synthesizer is None or self.moot:
            return None
        asked, start, found = self._asked, self.sigmas, self.found
        tolerance = self._tolerance(0.5 * 10.0**-self.attribute.digits)
        known = {self._from: self._before} if math.isfinite(self._before) else {}

        def work(job: Job) -> Reached:
            def value_at(sigmas: float) -> float:
                if job.cancelled:
                    raise Cancelled
                direction = found.direction
                edit = Edit(direction, sigmas, direction.first_block, direction.last_block)
                state = replace(latent, edits=with_edit(latent.edits, edit))
                return _measured_value(synthesizer, state, found.attribute)

            return reach(value_at, asked, start, found.per_sigma, tolerance, known)

        return work

    def arrive(self, reached: Reached) -> None:
        """Move to where a search ended, as part of the drag that began it, and say so."""
        if self.moot:
            self.give_up()
            return
        self._move_to(reached.sigmas, self._gesture)
        asked, value = self.attribute.text(self._asked), self.attribute.text(reached.value)
        name = self.attribute.title
        if math.isnan(reached.value):
            self.say(f"This model cannot: {name} cannot be measured where the slider leads.")
        elif reached.within:
            self.say(f"Reached: {value}.")
        else:
            self.say(
                f"This model cannot: along this direction, {value} is the nearest to {asked} that "
                "this volume comes."
            )

    def give_up(self) -> None:
        """Forget a search."""
        self._base = None
        self.say("")

    def _without_own_edit(self) -> LatentState:
        return self._model.moved(self._model.latent, self.found.direction, 0.0)

    def _say_whether_it_came(self, value: float) -> None:
        sigmas, there = self.sigmas, value > 0
        wanted = sigmas > 0
        if not sigmas or there is wanted:
            self.say("")
            return
        self.say(
            f"{'Present' if there else 'Absent'} all the same: along this direction, a "
            f"{within_sentence(self.attribute.title)} becomes "
            f"{'likelier' if wanted else 'less likely'}, but not in every volume. The slider of "
            "its diameter changes it in this one."
        )

    def _move_to(self, sigmas: float, gesture: object = None) -> None:
        direction = self.found.direction
        blocks = (direction.first_block, direction.last_block)
        self._model.set_edit(direction, sigmas, blocks, gesture)

    def _on_moved(self, value: float, gesture: object) -> None:
        gesture = (self.found.direction, gesture)
        if self.attribute.presence:
            self._move_to(value, gesture)
            return
        if gesture != self._gesture:
            measured = self._measured
            current = measured is not None and measured.state == self._model.latent
            self._before = measured.values[self.attribute.key] if measured and current else math.nan
            self._from = self.sigmas
        self._asked, self._gesture = value, gesture
        self._base = self._without_own_edit()
        if math.isfinite(self._before):
            guess = self._from + (value - self._before) / self.found.per_sigma
            self._move_to(min(max(guess, -LIMIT_SIGMAS), LIMIT_SIGMAS), gesture)
        self.say(f"Searching {self.attribute.text(value)}…")
        self.search_wanted.emit()


def _slider(attribute: Attribute, found: AttributeDirection) -> Slider:
    if attribute.presence:
        return Slider(
            -_SIGMAS, _SIGMAS, 0, "From absent, on the left, to present, on the right, in σ"
        )
    digits, spread = attribute.digits, (found.highest - found.lowest) / 2
    lowest = round(max(found.lowest - spread, 0.0), digits)
    highest = round(found.highest + spread, digits)
    slider = Slider(
        lowest,
        highest,
        (lowest + highest) / 2,
        f"{attribute.title} as measured. Move it, or type a value, and the volume is changed until "
        "it measures that, or as near as this model comes",
    )
    slider.setDecimals(digits)
    return slider


def _explanation(attribute: Attribute, found: AttributeDirection) -> str:
    others = [
        f"{ATTRIBUTES[key].title} ({found.leakage(key):+.1f} SD)"
        for key in sorted(found.effects, key=lambda other: -abs(found.leakage(other)))
        if key != found.attribute and key in ATTRIBUTES
    ]
    score = "AUC" if attribute.presence else "R²"
    return (
        f"{attribute.title}, predicted from latents with {score} {found.score:.2f}. What else "
        f"changes most, per σ: {', '.join(others[:2])}."
    )


def _measured_value(synthesizer: Synthesizer, state: LatentState, key: str) -> float:
    """Render a state and return one of its measurements."""
    volume = next(synthesizer.render_many([state]))
    vessels = measure_vessels(volume)
    if key in ARTERY_KEYS:
        labels = artery_segmenter()(volume).labels
        return artery_values(labels, vessels.tubes, volume.spacing_mm)[key]
    return vessels.values[key]
