"""A map of the model's volumes, on which the one that is shown is a cross."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtGui import QColor, QShowEvent
from qtpy.QtWidgets import QFormLayout, QLabel, QVBoxLayout, QWidget

from cowgan.latent.anatomy_codes import AnatomyCodes, stored_anatomies
from cowgan.latent.latent_map import DISTANCE, LatentMap
from cowgan.synthesis import LatentState
from napari_cowgan.explorer.anatomy_comparison import LIGHTS, AnatomyComparison
from napari_cowgan.explorer.explorer_model import ExplorerModel
from napari_cowgan.explorer.live_measurement import Measured
from napari_cowgan.explorer.map_plot import ColourBar, MapPlot, colours_of, scale_colours
from napari_cowgan.widgets.controls import SWATCH, hint, row, swatch
from napari_cowgan.widgets.fields import Choice
from napari_cowgan.widgets.jobs import Job, JobBar
from napari_cowgan.widgets.problems import show_problem

if TYPE_CHECKING:
    import napari

    from cowgan.evaluation.known_anatomies import KnownAnatomies

_HOW = (
    "Click or drag to show the nearest volume, without truncation, mixing or directions; the arrow "
    "keys show the next one on that side. Framed diamonds are real anatomies, as the model can "
    "make them. The wheel zooms, Home shows all."
)
_NO_MEASUREMENTS = (
    "The volumes of this model have not been measured, so the map has no axes for vessel volume, "
    "diameters or the PComs. The command cowgan attributes measures them."
)
_LOCKED = "The seed is locked; unlock it to move on the map."


class MapGroup(QWidget):
    """A map with a choice of its axes and colour, and how typical the shown volume is.

    Built when it is first seen.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer whose theme is followed.
    model : ExplorerModel
        The model to follow and change.
    """

    def __init__(self, viewer: "napari.Viewer", model: ExplorerModel) -> None:
        super().__init__()
        self._viewer = viewer
        self._model = model
        self._values: dict[str, float] = {}
        self._measured: Measured | None = None
        self.map: LatentMap | None = None
        self._stored: AnatomyCodes | None = None
        first = [(DISTANCE.title, DISTANCE.key)]
        self.across = Choice("map/across", first, "What grows to the right")
        self.up = Choice("map/up", first, "What grows upwards")
        self.colour = Choice("map/colour", first, "What the colours show")
        self.plot = MapPlot("Map of volumes of this model", self._describe)
        self.plot.setToolTip(_HOW)
        self.bar = ColourBar()
        self.note = hint("")
        self.place = hint("")
        self.job = JobBar()
        self._light = QLabel()
        self.typicality = hint("")
        self.anatomies = AnatomyComparison(viewer, model)
        self._content = QWidget()
        self._build()
        for choice in self._choices:
            choice.currentIndexChanged.connect(self.redraw)
        self.plot.pointed.connect(self._on_pointed)
        self.plot.stepped.connect(self._on_stepped)
        self.anatomies.found.connect(self._show_anatomies)
        viewer.events.theme.connect(self.redraw)
        model.model_changed.connect(self._on_model)
        model.state_changed.connect(self._on_state)
        model.lock_changed.connect(self._describe_place)

    def show_measured(self, measured: Measured) -> None:
        """Show where a volume lies that was measured."""
        self._measured = measured
        self._on_state()

    def showEvent(self, event: QShowEvent) -> None:
        """Build the map, or look again for measurements that it lacks."""
        super().showEvent(event)
        if self.map is None or not self.map.measured:
            self._load()
        self._on_state()
        self.anatomies.look()

    # Construction

    def _build(self) -> None:
        form = QFormLayout()
        form.setContentsMargins(0, 0, 0, 0)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for title, choice in zip(("Across", "Up", "Colour"), self._choices, strict=True):
            form.addRow(title, choice)
        content = QVBoxLayout(self._content)
        content.setContentsMargins(0, 0, 0, 0)
        content.setSpacing(4)
        content.addLayout(form)
        content.addWidget(self.plot)
        content.addWidget(self.bar)
        content.addWidget(self.place)
        head = row(self._light, self.typicality)
        head.setStretch(1, 1)
        content.addLayout(head)
        content.addWidget(self.anatomies)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.job)
        layout.addWidget(self._content)
        layout.addWidget(self.note)
        self._content.hide()

    @property
    def _choices(self) -> tuple[Choice, Choice, Choice]:
        return self.across, self.up, self.colour

    @property
    def _axes(self) -> tuple[str, str]:
        return self.across.chosen, self.up.chosen

    # Building the map

    def _on_model(self) -> None:
        self.job.stop()
        self.map, self._measured = None, None
        self.anatomies.forget()
        self._content.hide()
        self.note.setText("Open a model to see a map of its volumes.")
        if self.isVisible():
            self._load()

    def _load(self) -> None:
        checkpoint = self._model.checkpoint
        if checkpoint is None or self.job.running:
            return

        def work(_: Job) -> LatentMap:
            from cowgan.segmentation.artery_attributes import ATTRIBUTES
            from cowgan.segmentation.attribute_samples import known_samples

            found = LatentMap(checkpoint, known_samples(checkpoint), tuple(ATTRIBUTES.values()))
            found.show_anatomies(stored_anatomies(checkpoint))
            return found

        self.job.run("Placing volumes", work, self._take, lambda error: show_problem(self, error))

    def _take(self, found: LatentMap) -> None:
        self.map = found
        options = [(each.title, each.key) for each in found.quantities.values()]
        components = ("pca_1", "pca_2", "pca_3")
        usual = ("volume_mm3", "diameter_mm", "pca_1") if found.measured else components
        for choice, value in zip(self._choices, usual, strict=True):
            choice.offer(options, value)
        self.note.setText("" if found.measured else _NO_MEASUREMENTS)
        self.note.setVisible(not found.measured)
        self._stored = found.anatomies
        self._content.show()
        self._show_anatomies(self.anatomies.known)
        self._on_state()

    def _show_anatomies(self, known: "KnownAnatomies | None") -> None:
        if self.map is not None:
            if known is None or known.codes is None:
                self.map.show_anatomies(self._stored)
            else:
                self.map.show_anatomies(known.codes, known.measured)
            self.redraw()

    # Drawing

    def redraw(self) -> None:
        """Draw the points for the chosen axes and colour, in the colours of the theme."""
        if self.map is None:
            return
        names = [self.map.quantities[key] for key in self._axes]
        labels = [f"{each.title} ({each.unit})" if each.unit else each.title for each in names]
        self.plot.apply_theme(self._viewer.theme, *labels)
        dark = self.plot.backgroundBrush().color().lightnessF() < 0.5
        shown = self.map.quantities[self.colour.chosen]
        values = self.map.values[shown.key]
        places = self.map.places(*self._axes)
        anatomies = len(values) - len(self.map.seeds)
        self.plot.show_points(places, colours_of(values, dark), anatomies)
        known = values[np.isfinite(values)]
        self.bar.show_scale(scale_colours(dark), shown.text(known.min()), shown.text(known.max()))
        self._draw_cross()

    def _draw_cross(self) -> None:
        across, up = (self._values.get(key, np.nan) for key in self._axes)
        colour = self.plot.getAxis("left").textPen().color()
        self.plot.show_cross((across, up), QColor(colour))
        self._describe_place()

    # The shown volume

    def _on_state(self) -> None:
        if self.map is None or not self.isVisible():
            return
        position = self.map.position(self._model.latent)
        self._values = {**self._measurements(), **position}
        found = self.map.typicality(position)
        self._light.setPixmap(swatch(LIGHTS[found.light]).pixmap(SWATCH))
        self.typicality.setText(found.sentence)
        self._draw_cross()

    def _measurements(self) -> dict[str, float]:
        """Return what is known by measurement of the shown volume, by key."""
        assert self.map is not None
        latent = self._model.latent
        if self._measured is not None and self._measured.state == latent:
            return dict(self._measured.values)
        if latent == LatentState(latent.seed) and latent.seed in self.map.seeds:
            index = self.map.seeds.index(latent.seed)
            return {key: float(column[index]) for key, column in self.map.values.items()}
        return {}

    def _describe(self, index: int) -> str:
        """Return the name of a point and its values on the axes and by colour."""
        assert self.map is not None
        values = {key: column[index] for key, column in self.map.values.items()}
        return "\n".join([self.map.name(index), *self._texts(values)])

    def _texts(self, values: Mapping[str, float]) -> list[str]:
        assert self.map is not None
        keys = dict.fromkeys((*self._axes, self.colour.chosen))
        quantities = [self.map.quantities[key] for key in keys]
        return [
            f"{each.title}: {each.text(value) if np.isfinite(value) else 'not measured'}"
            for each in quantities
            for value in (values.get(each.key, np.nan),)
        ]

    def _describe_place(self) -> None:
        if self.map is not None:
            locked = f" {_LOCKED}" if self._model.seed_locked else ""
            self.place.setText("; ".join(self._texts(self._values)) + "." + locked)

    # Going to a volume

    def _on_pointed(self, x: float, y: float, gesture: object) -> None:
        if self.map is not None:
            self._go(self.map.nearest(*self._axes, (x, y), self.plot.scale), gesture)

    def _on_stepped(self, step: tuple[int, int], gesture: object) -> None:
        if self.map is None:
            return
        if self.plot.cross is None:
            centre = self.plot.getViewBox().viewRect().center()
            index = self.map.nearest(*self._axes, (centre.x(), centre.y()), self.plot.scale)
        else:
            place = self.plot.cross
            index = self.map.next_along(*self._axes, place, step, self.plot.scale)
        self._go(index, gesture)

    def _go(self, index: int | None, gesture: object) -> None:
        if self.map is not None and index is not None:
            state = self.map.state(index)
            self._model.show_unedited(state, "place on the map", ("map", gesture))
