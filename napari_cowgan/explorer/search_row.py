"""A slider whose value is searched for in the background."""

import math

from qtpy.QtCore import Signal

from cowgan.measure.vessel_attributes import Attribute
from napari_cowgan.explorer.explorer_model import ExplorerModel
from napari_cowgan.widgets.controls import hint, plain_tooltip
from napari_cowgan.widgets.sliders import Slider, SliderRow

_SHARE_OF_VALUE, _SHARE_OF_CHANGE = 0.05, 0.2
"""A value is reached within these shares of itself and of the change that was asked for."""


class SearchRow(SliderRow):
    """A measured attribute: its name, a slider in its unit, reset, and what came of a search.

    Parameters
    ----------
    model : ExplorerModel
        The model to follow and to change.
    attribute : Attribute
        What is measured.
    slider : Slider
        Shows the measured value.
    explanation : str
        Tooltip of the name.

    Signals
    -------
    search_wanted
        `search` is to be called in the background once the slider rests.
    """

    search_wanted = Signal()

    def __init__(
        self, model: ExplorerModel, attribute: Attribute, slider: Slider, explanation: str
    ) -> None:
        self._model = model
        self.attribute = attribute
        self._asked = self._before = math.nan
        super().__init__(attribute.title, slider)
        self.label.setToolTip(plain_tooltip(explanation))
        self.message = hint("")
        self.message.hide()
        self.layout().addWidget(self.message)

    def say(self, text: str) -> None:
        """Show a sentence below the slider."""
        self.message.setText(text)
        self.message.setVisible(bool(text))

    def _tolerance(self, least: float) -> float:
        """Return how near the asked value counts as reached."""
        change = abs(self._asked - self._before)
        shares = [_SHARE_OF_VALUE * abs(self._asked)]
        if math.isfinite(change):
            shares.append(_SHARE_OF_CHANGE * change)
        return max(min(shares), least)
