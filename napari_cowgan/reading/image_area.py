"""Image of a trial: one volume, or two side by side with a common view."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QWidget

from cowgan.turing.design.trials import Rules
from cowgan.turing.reading.manifest import Display
from napari_cowgan.reading import texts
from napari_cowgan.reading.keys import Action
from napari_cowgan.reading.overlay import Drag
from napari_cowgan.reading.pane import Pane
from napari_cowgan.reading.view import Frame, View

_STEPS = {Action.UP: 1, Action.DOWN: -1, Action.FAR_UP: 5, Action.FAR_DOWN: -5}
_ZOOM_PER_PX = 1.006
_ZOOM_PER_NOTCH = 1.15


class ImageArea(QWidget):
    """Shows the volumes of a trial in a view that the mouse changes.

    Signals
    -------
    viewed : View
        The view has changed.
    picked : int, object
        Number of the clicked volume, and voxel (z, x, y).
    drawn
        Every volume has been drawn since `reveal`.

    Attributes
    ----------
    view : View
        Current view.
    shown : bool
        Whether the volumes are visible.

    Parameters
    ----------
    display : Display
        Display settings of the manifest.
    rules : Rules
        Decide the number of volumes and whether projections are allowed.
    """

    viewed = Signal(object)
    picked = Signal(int, object)
    drawn = Signal()

    def __init__(self, display: Display, rules: Rules) -> None:
        super().__init__()
        self.frame = Frame(display)
        self.view = self.frame.start
        self._mip_allowed = rules.mip
        titles = texts.SIDES if rules.design == "2afc" else ("",)
        self.panes = [Pane(display, title) for title in titles]
        self.shown = False
        self._undrawn: set[int] = set()
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for number, pane in enumerate(self.panes):
            layout.addWidget(pane, 1)
            pane.drawn.connect(partial(self._on_drawn, number))
            pane.overlay.dragged.connect(partial(self._on_drag, pane))
            pane.overlay.turned.connect(partial(self._on_wheel, pane))
            pane.overlay.clicked.connect(partial(self._on_click, number))

    def load(self, volumes: Sequence[NDArray[np.uint16]]) -> None:
        """Load the volumes of a trial, hidden, in the initial view."""
        self.blank()
        for pane, voxels in zip(self.panes, volumes, strict=True):
            pane.load(voxels)
            pane.show_marks(())
        self.view = self.frame.start
        self._apply()

    def blank(self) -> None:
        """Hide the volumes; the view can no longer be changed."""
        self.shown = False
        self._undrawn = set()
        for pane in self.panes:
            pane.blank()

    def reveal(self) -> None:
        """Show the volumes; `drawn` follows."""
        self.shown = True
        self._undrawn = set(range(len(self.panes)))
        for pane in self.panes:
            pane.reveal()

    def show_marks(self, marks: Mapping[int, Sequence[Any]]) -> None:
        """Draw marks, by volume."""
        for number, pane in enumerate(self.panes):
            pane.show_marks(marks.get(number, ()))

    def act(self, action: Action) -> None:
        """Carry out an action that changes the view; others do nothing."""
        match action:
            case Action.MIP if self._mip_allowed:
                self.change(replace(self.view, mip=not self.view.mip))
            case Action.RESET_WINDOW:
                self.change(self.frame.window_reset(self.view))
            case _ if action in _STEPS:
                self._scroll(_STEPS[action])

    def change(self, view: View) -> None:
        """Change the view."""
        if self.shown and view != self.view:
            self.view = view
            self._apply()
            self.viewed.emit(view)

    def end(self) -> None:
        """Close the canvases."""
        for pane in self.panes:
            pane.end()

    def _apply(self) -> None:
        for pane in self.panes:
            pane.show_view(self.view)

    def _scroll(self, steps: int) -> None:
        if not self.view.mip:
            self.change(self.frame.scrolled(self.view, steps))

    def _on_drawn(self, number: int) -> None:
        if self._undrawn:
            self._undrawn.discard(number)
            if not self._undrawn:
                self.drawn.emit()

    def _on_drag(self, pane: Pane, drag: Drag, right_px: float, down_px: float) -> None:
        frame, view = self.frame, self.view
        if drag is Drag.ZOOM:
            self.change(frame.zoomed(view, _ZOOM_PER_PX**-down_px))
        elif drag is Drag.PAN:
            self.change(frame.panned(view, *pane.mm(right_px, down_px)))
        elif drag is Drag.MAIN and view.mip:
            self.change(view.turned(right_px, down_px))
        else:
            # Up is brighter, which is a lower level.
            self.change(frame.windowed(view, right_px, down_px))

    def _on_wheel(
        self, pane: Pane, notches: int, right_px: float, down_px: float, control: bool
    ) -> None:
        if self.view.mip or control:
            factor = _ZOOM_PER_NOTCH**notches
            self.change(self.frame.zoomed(self.view, factor, *pane.mm(right_px, down_px)))
        else:
            self._scroll(notches)

    def _on_click(self, number: int, right_px: float, down_px: float) -> None:
        voxel = self.panes[number].voxel_at(right_px, down_px)
        if voxel is not None:
            self.picked.emit(number, voxel)
