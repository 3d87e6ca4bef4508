"""Line that says what the brush paints, and stops it."""

from napari.layers import Labels
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QWidget

from cowgan.anatomy.label_schemes import LabelScheme
from napari_cowgan.widgets.controls import hint, row, text_button

_IN_SLICES = "Painting {name}: Ctrl+Z undoes, the eraser is key 1"
_IN_3D = "Painting {name} needs slices"


class BrushBar(QWidget):
    """What the brush paints; hidden while it does not paint.

    Signals
    -------
    stopped
        The user wants to paint no more.
    slices_wanted
        The user wants slices to paint on.
    """

    stopped = Signal()
    slices_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.text = hint("")
        self.slices = text_button("Show slices", "Show slices, on which the brush paints")
        self.stop = text_button("Stop", "Put the brush away; the mouse moves the view again")
        layout = row(self.text, self.slices, self.stop)
        layout.setStretch(0, 1)
        self.setLayout(layout)
        self.slices.clicked.connect(self.slices_wanted)
        self.stop.clicked.connect(self.stopped)
        self.hide()

    def refresh(self, layer: Labels | None, scheme: LabelScheme | None, displayed: int) -> None:
        """Show what the brush of a layer paints.

        Parameters
        ----------
        layer : Labels or None
            The layer.
        scheme : LabelScheme or None
            Meaning of its labels.
        displayed : int
            How many dimensions the viewer displays.
        """
        painting = layer is not None and str(layer.mode) == "paint"
        self.setVisible(painting)
        if layer is None or scheme is None or not painting:
            return
        name = scheme.labels.get(layer.selected_label, "background")
        self.text.setText((_IN_SLICES if displayed == 2 else _IN_3D).format(name=name))
        self.slices.setVisible(displayed != 2)
