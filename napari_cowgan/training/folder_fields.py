"""Fields for the folder of a new run."""

from pathlib import Path

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QFormLayout, QLineEdit

from cowgan.errors import CowganError
from napari_cowgan.widgets.fields import PathField
from napari_cowgan.widgets.remembered import is_there


class FolderFields(QObject):
    """Folder of all runs, and name of the new one.

    Signals
    -------
    runs_changed
        Another folder of runs is chosen.
    name_changed
        Another name was typed.
    """

    runs_changed = Signal()
    name_changed = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._stem = ""
        self.runs = PathField(
            "training/runs",
            "Folder for runs",
            "Folder in which every run gets its own folder; the list below shows them",
        )
        if self.runs.path is None:
            self.runs.set_path(Path.home() / "cowgan-runs")
        self.name = QLineEdit()
        self.name.setToolTip("Name of the run and of its folder; leave empty for the suggested one")
        self.runs.changed.connect(self.refresh_name)
        self.runs.changed.connect(self.runs_changed)
        self.name.textChanged.connect(self.name_changed)

    def add_to(self, form: QFormLayout) -> None:
        """Add the fields as rows of a form."""
        form.addRow("Runs in", self.runs)
        form.addRow("Name", self.name)

    @property
    def folder(self) -> Path:
        """Folder of the new run.

        Raises
        ------
        CowganError
            No folder of runs is chosen, or the name leads out of it.
        """
        runs = self.runs.path
        folder = None if runs is None else runs / (self.name.text().strip() or self._free_name())
        if folder is None or folder.parent != runs:
            raise CowganError("Choose a folder for runs, and a name without slashes for this one.")
        return folder

    def suggest_name(self, stem: str) -> None:
        """Suggest a name with this beginning that no run has yet."""
        self._stem = stem
        self.refresh_name()

    def refresh_name(self) -> None:
        """Suggest a name that no run has yet."""
        self.name.setPlaceholderText("" if self.runs.path is None else self._free_name())

    def _free_name(self) -> str:
        runs, number = self.runs.path, 1
        assert runs is not None
        while is_there(runs / f"{self._stem}-{number}"):
            number += 1
        return f"{self._stem}-{number}"
