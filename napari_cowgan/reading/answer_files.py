"""Files that a reader saves after a reading: answers to return, and a receipt to keep."""

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QWidget

from cowgan.errors import CowganError
from cowgan.turing.reading.package import JOURNAL_FILE, Package, zip_answers
from cowgan.turing.reading.receipt import receipt_of, write_receipt
from cowgan.turing.reading.records import read_journal
from napari_cowgan.reading import texts
from napari_cowgan.widgets.dialogs import ask_for_file

_RECEIPTS = "Receipts (*.json)"
_ZIPS = "Zip files (*.zip)"


class AnswerFiles(QObject):
    """Asks where to save the answers and the receipt of a finished reading, and saves them.

    Parameters
    ----------
    window : QWidget
        Parent of the dialogs.
    package : Package
        The package that was read.

    Signals
    -------
    saved
        A file has been saved, or could not be; see `message`.

    Attributes
    ----------
    folder : Path
        Folder of the package.
    message : str
        Where the last file was saved, or why not; empty before.
    """

    saved = Signal()

    def __init__(self, window: QWidget, package: Package) -> None:
        super().__init__(window)
        self.folder = package.folder.resolve()
        self.message = ""
        self._window = window
        self._manifest = package.manifest

    def ask_for_zip(self) -> None:
        """Ask where to save the answers."""
        suggested = f"{self._manifest.reader}_answers.zip"
        ask_for_file(self._window, "Save zip", self.save_answers, _ZIPS, save_as=suggested)

    def ask_for_receipt(self) -> None:
        """Ask where to save the receipt."""
        suggested = f"{self._manifest.reader}_receipt.json"
        ask_for_file(self._window, "Save receipt", self.save_receipt, _RECEIPTS, save_as=suggested)

    def save_answers(self, path: Path) -> None:
        """Save the answers as one file to return."""
        self._save(self._write_answers, path, texts.answers_saved(path))

    def save_receipt(self, path: Path) -> None:
        """Save the receipt, which proves the answers later."""
        self._save(self._write_receipt, path, texts.receipt_saved(path))

    def _write_answers(self, path: Path) -> None:
        zip_answers(self.folder, path)

    def _write_receipt(self, path: Path) -> None:
        receipt = receipt_of(self._manifest, read_journal(self.folder / JOURNAL_FILE))
        if receipt is None:
            raise CowganError("The reading is not finished, so there is no receipt yet.")
        write_receipt(receipt, path)

    def _save(self, write: Callable[[Path], None], path: Path, message: str) -> None:
        try:
            write(path)
            self.message = message
        except CowganError as error:
            self.message = error.sentence
        self.saved.emit()
