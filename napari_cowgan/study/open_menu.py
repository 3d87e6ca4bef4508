"""Menu that opens an existing study."""

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QMenu, QWidget

from napari_cowgan.widgets.dialogs import ask_for_file
from napari_cowgan.widgets.recent_menu import add_recent


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
        add_recent(self, "studies", self.chosen.emit)

    def _ask(self) -> None:
        ask_for_file(self._button, "Folder of a study", self.chosen.emit, folder=True)
