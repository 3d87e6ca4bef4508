"""Reading of a package on the coordinator's own computer."""

from functools import partial

from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtWidgets import QMessageBox, QWidget

from cowgan.errors import CowganError
from cowgan.turing.study.study import Study
from napari_cowgan.study.reading_process import ReadingProcess
from napari_cowgan.widgets.problems import show_problem


class LocalReading(QObject):
    """Warns that the key is within reach, then opens a package in a reading window.

    Parameters
    ----------
    panel : QWidget
        Parent of the dialogs.

    Attributes
    ----------
    question : QMessageBox or None
        The warning, while it is shown.

    Signals
    -------
    started : str
        This reader's package is being read.
    ended
        The reading window was closed.
    """

    started = Signal(str)
    ended = Signal()

    def __init__(self, panel: QWidget) -> None:
        super().__init__(panel)
        self._panel = panel
        self.question: QMessageBox | None = None

    def confirm(self, study: Study, reader: str) -> None:
        """Open a reader's package if the user confirms it."""
        box = self.question = QMessageBox(self._panel)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setIcon(QMessageBox.Icon.Warning)
        box.setWindowTitle("CoW-GAN")
        box.setText("A reader on this computer can open the key.")
        box.setInformativeText(
            "The key is stored beside the package and is readable by this account. Read here only "
            "for a rehearsal or under supervision; the report will state it. Otherwise save the "
            "package as zip, and have it read on another computer or account."
        )
        go_on = box.addButton("Read here", QMessageBox.ButtonRole.AcceptRole)
        cancel = box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(go_on)
        box.setEscapeButton(cancel)
        box.buttonClicked.connect(
            lambda button: self._start(study, reader) if button is go_on else None
        )
        box.finished.connect(self._on_answered)
        box.open()

    def _on_answered(self) -> None:
        self.question = None

    def _start(self, study: Study, reader: str) -> None:
        try:
            reading = ReadingProcess(study.package_folder(reader), self)
        except CowganError as error:
            show_problem(self._panel, error)
            return
        self.started.emit(reader)
        reading.ended.connect(partial(self._on_end, reading))

    def _on_end(self, reading: ReadingProcess, problem: CowganError | None) -> None:
        reading.deleteLater()
        self.ended.emit()
        if problem is not None:
            show_problem(self._panel, problem)
