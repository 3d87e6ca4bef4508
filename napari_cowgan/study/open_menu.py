"""Menu that opens an existing study."""

from functools import partial
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QMenu, QWidget

from napari_cowgan.widgets.dialogs import ask_for_file
from napari_cowgan.widgets.remembered import recent


class OpenStudyMenu(QMenu):
    """Offers recent studies, and a dialog for others.

    Parameters
    ----------
    button : QWidget
        Button that opens the menu.

    Signals
    -------
    chosen : Path
        Folder of the study to open.
    """

    chosen = Signal(object)

    def __init__(self, button: QWidget) -> None:
        super().__init__(button)
        self._button = button
        self.setToolTipsVisible(True)
        self.aboutToShow.connect(self._fill)

    def _fill(self) -> None:
        self.clear()
        self.addAction("Open folder…", self._ask)
        known = recent("studies")
        if known:
            self.addSection("Recent")
        for folder in known:
            action = self.addAction(f"{folder.parent.name}/{folder.name}")
            action.setToolTip(str(folder))
            action.triggered.connect(partial(self._choose, folder))

    def _ask(self) -> None:
        ask_for_file(self._button, "Folder of a study", self._choose, folder=True)

    def _choose(self, folder: Path, checked: bool = False) -> None:
        self.chosen.emit(folder)
