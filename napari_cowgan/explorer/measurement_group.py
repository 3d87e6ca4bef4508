"""The measurements of the volume that is shown."""

import math
from collections.abc import Mapping

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QCheckBox, QGridLayout, QLabel, QVBoxLayout, QWidget

from cowgan.errors import CowganError
from cowgan.measure.vessel_attributes import Attribute
from cowgan.segmentation.artery_attributes import ARTERY_KEYS, ATTRIBUTES
from cowgan.segmentation.reference_anatomies import reference_anatomies
from cowgan.synthesis import LatentState
from napari_cowgan.explorer.explorer_model import ExplorerModel
from napari_cowgan.explorer.live_measurement import LiveMeasurement, Measured
from napari_cowgan.explorer.renderer import Rendered
from napari_cowgan.widgets.controls import hint
from napari_cowgan.widgets.remembered import recall_flag, remember

_REMEMBERED = "measure_arteries"
_MISSING = "–"
_MEASURING = "Measuring…"
_HEADINGS = (
    ("", ""),
    ("now", "Measured in the complete volume"),
    ("change", "Since the last change, such as one drag of a slider, began"),
    (
        "%ile",
        "Percentile among real anatomies; for a PCom, the share of them that have one",
    ),
)


class MeasurementGroup(QWidget):
    """A table of what is measured: value, change since the last step and percentile.

    Parameters
    ----------
    model : ExplorerModel
        The model to follow.

    Signals
    -------
    measured : Measured
        New measurements are shown.
    """

    measured = Signal(object)

    def __init__(self, model: ExplorerModel) -> None:
        super().__init__()
        self._model = model
        self._rendered: Rendered | None = None
        self._step = model.undo_stack.index()
        self._seen: LatentState = model.latent
        self._before: Measured | None = None
        self.live = LiveMeasurement(self)
        self.arteries = QCheckBox("Single arteries")
        self.arteries.setToolTip(
            "Also find the arteries of the complete volume with the bundled segmentation network, "
            "and measure their diameters. The PComs are found without it"
        )
        self.arteries.setChecked(recall_flag(_REMEMBERED, True))
        self.status = hint("")
        self._table = QGridLayout()
        self._table.setContentsMargins(0, 0, 0, 0)
        self._table.setHorizontalSpacing(4)
        self._table.setVerticalSpacing(1)
        self._table.setColumnStretch(0, 1)
        self._cells: dict[str, tuple[QLabel, ...]] = {}
        self._build()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(self._table)
        layout.addWidget(self.arteries)
        layout.addWidget(self.status)
        self.arteries.toggled.connect(self._on_toggled)
        self.live.found.connect(self._show)
        model.undo_stack.indexChanged.connect(self._on_step)
        model.model_changed.connect(self._on_model)

    def follow(self, rendered: Rendered) -> None:
        """Measure a volume that is shown, unless it is a preview or the table is folded."""
        if rendered.preview_block is not None:
            self.live.stop()
            return
        self._rendered = rendered
        self._request()

    def text(self, key: str) -> tuple[str, str, str]:
        """Return what the row of an attribute says: value, change and percentile."""
        now, change, percentile = (cell.text() for cell in self._cells[key][1:])
        return now, change, percentile

    def showEvent(self, event: object) -> None:
        """Measure what was shown while the table was folded."""
        self._request()

    def _request(self) -> None:
        rendered, latest = self._rendered, self.live.latest
        if rendered is None or not self.isVisible():
            return
        if latest is not None and latest.state == rendered.state and not self._lacking(latest):
            self.live.stop()
            self._show(latest)
            return
        self.status.setText(_MEASURING)
        self.live.request(rendered, self.arteries.isChecked())

    def _lacking(self, measured: Measured) -> bool:
        """Return whether arteries are wanted that were not measured."""
        wanted = self.arteries.isChecked() and not measured.problem
        return wanted and not measured.values.keys() >= ARTERY_KEYS

    def _build(self) -> None:
        for column, (text, tooltip) in enumerate(_HEADINGS):
            self._table.addWidget(_cell(text, column, tooltip, faint=True), 0, column)
        for attribute in ATTRIBUTES.values():
            row = self._table.rowCount()
            # The unit tells what is measured, and the panel is narrow.
            name = attribute.title.removeprefix("Vessel ").removeprefix("Median ")
            name = name.removesuffix(" diameter")
            name = name[0].upper() + name[1:]
            cells = tuple(_cell(text, i) for i, text in enumerate((name, *3 * [_MISSING])))
            cells[0].setToolTip(attribute.title)
            for column, cell in enumerate(cells):
                self._table.addWidget(cell, row, column)
            self._cells[attribute.key] = cells
        self._show_arteries()

    def _show_arteries(self) -> None:
        for key, cells in self._cells.items():
            for cell in cells:
                cell.setVisible(key not in ARTERY_KEYS or self.arteries.isChecked())

    def _show(self, measured: Measured) -> None:
        self.status.setText(measured.problem or _MEASURING * self._lacking(measured))
        self.status.setVisible(bool(self.status.text()))
        before = self._before.values if self._before is not None else {}
        for attribute in ATTRIBUTES.values():
            texts = _texts(attribute, measured.values, before)
            for cell, text in zip(self._cells[attribute.key][1:], texts, strict=True):
                cell.setText(text)
        self.measured.emit(measured)

    def _on_step(self, index: int) -> None:
        """Compare with what was measured before this step; one drag is one step."""
        if index != self._step:
            latest = self.live.latest
            same = latest is not None and latest.state == self._seen
            self._before = latest if same else None
        self._step, self._seen = index, self._model.latent

    def _on_model(self) -> None:
        self.live.forget()
        self._rendered = self._before = None
        self._step, self._seen = self._model.undo_stack.index(), self._model.latent
        for cells in self._cells.values():
            for cell in cells[1:]:
                cell.setText(_MISSING)

    def _on_toggled(self, checked: bool) -> None:
        remember(_REMEMBERED, checked)
        self._show_arteries()
        self._request()


def _texts(
    attribute: Attribute, now: Mapping[str, float], before: Mapping[str, float]
) -> tuple[str, str, str]:
    value, earlier = now.get(attribute.key, math.nan), before.get(attribute.key, math.nan)
    if math.isnan(value):
        return _MISSING, _MISSING, _MISSING
    change = _MISSING if math.isnan(earlier) else attribute.change(earlier, value)
    return attribute.text(value), change, _percentile(attribute, value)


def _percentile(attribute: Attribute, value: float) -> str:
    try:
        reference = reference_anatomies()
    except CowganError:
        return _MISSING
    if attribute.presence:
        share = reference.means.get(attribute.key)
        return _MISSING if share is None else f"{100 * share:.0f} %"
    percentile = reference.percentile(attribute.key, value)
    return _MISSING if percentile is None else f"{percentile:.0f}"


def _cell(text: str, column: int, tooltip: str = "", faint: bool = False) -> QLabel:
    """Return a label in small type."""
    label = hint(text)
    label.setWordWrap(False)
    label.setToolTip(tooltip or text * (not column))
    label.setEnabled(not faint)
    if column:
        label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    return label
