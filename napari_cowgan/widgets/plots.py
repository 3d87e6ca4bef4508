"""Plots in the colours of napari's theme."""

# pyqtgraph is not typed.
# mypy: disable-error-code="import-untyped"

from collections.abc import Sequence

import pyqtgraph
from napari.utils.theme import get_theme
from qtpy.QtGui import QColor

LABEL_SIZE = "9pt"
_LABEL_OVERHANG = 6
# Distinguishable on either background and with colour blindness.
_COLOURS = {
    "dark": ("#56b4e9", "#f0a04b", "#8fd18f"),
    "light": ("#0063a6", "#b34700", "#2b7a2b"),
}


class Plot(pyqtgraph.PlotWidget):
    """A plot without menus, with a faint grid.

    Parameters
    ----------
    name : str
        Accessible name.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setMenuEnabled(False)
        self.hideButtons()
        self.showGrid(x=True, y=True, alpha=0.15)
        for side in ("bottom", "left"):
            # Before an axis gets a label: pyqtgraph rescales labelled axes regardless.
            self.getAxis(side).enableAutoSIPrefix(False)
        self.getPlotItem().setContentsMargins(0, 0, 0, _LABEL_OVERHANG)

    def apply_theme(self, theme: str, bottom: str, left: str) -> Sequence[QColor]:
        """Apply the colours of a theme, label the axes, and return colours for lines."""
        colours = get_theme(theme)
        background, text = QColor(colours.background.as_hex()), QColor(colours.text.as_hex())
        self.setBackground(background)
        for side, label in (("bottom", bottom), ("left", left)):
            axis = self.getAxis(side)
            axis.setPen(text)
            axis.setTextPen(text)
            axis.setLabel(label, **{"font-size": LABEL_SIZE, "color": text.name()})
        legend = self.getPlotItem().legend
        if legend is not None:
            legend.setLabelTextColor(text)
        lines = _COLOURS["dark" if background.lightnessF() < 0.5 else "light"]
        return [QColor(name) for name in lines]
