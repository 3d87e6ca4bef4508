"""Last page of the wizard: name and seed, summary, and creating the study."""

# superqt is only partly typed.
# mypy: allow-untyped-calls

from pathlib import Path

from qtpy.QtWidgets import QFormLayout, QLabel, QLineEdit, QVBoxLayout, QWidget, QWizardPage

from cowgan.randomness import MAX_SEED
from napari_cowgan.study.new_study import ProtocolSource, overview
from napari_cowgan.widgets.controls import breakable, hint
from napari_cowgan.widgets.fields import PathField
from napari_cowgan.widgets.jobs import JobBar
from napari_cowgan.widgets.remembered import is_there, recall_text, remember
from napari_cowgan.widgets.seed_box import SeedBox

_SECRET = (
    "Together with a secret that stays in this folder, the seed determines which volumes are used "
    "and the order in which each reader sees them. The folder holds the key: give readers their "
    "packages and nothing else from it."
)
_NAME = "turing-study"


class SavePage(QWizardPage):
    """Folder, name and seed, a summary, and progress.

    Parameters
    ----------
    source : ProtocolSource
        Combines the choices of all pages.
    """

    def __init__(self, source: ProtocolSource) -> None:
        super().__init__()
        self.setTitle("Where is the study saved?")
        self._source = source
        self.parent_folder = PathField(
            "study/parent",
            "Folder for studies",
            "Folder in which the study gets its own folder",
        )
        if self.parent_folder.path is None:
            self.parent_folder.set_path(Path.home() / "turing-studies")
        self.name = QLineEdit()
        self.name.setToolTip(
            "Name of the study and of its folder; leave empty for the suggested one"
        )
        self.name.setAccessibleName("Name of the study")
        self.seed = SeedBox(
            "Seed of the study; studies with the same seed still differ, as each has a new secret"
        )
        remembered = recall_text("study/seed", "0")
        self.seed.setValue(min(int(remembered), MAX_SEED) if remembered.isdecimal() else 0)
        self.overview = QFormLayout()
        self.overview.setContentsMargins(0, 0, 0, 0)
        self.problem = hint("")
        self.problem.setStyleSheet("font-weight: bold;")
        self.job = JobBar()
        self._fields = QWidget()
        form = QFormLayout(self._fields)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Save in", self.parent_folder)
        form.addRow("Name", self.name)
        form.addRow("Seed", self.seed)
        form.addRow(self.seed.problem)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(14)
        layout.addWidget(self._fields)
        layout.addWidget(hint(_SECRET))
        layout.addLayout(self.overview)
        layout.addWidget(self.problem)
        layout.addStretch(1)
        layout.addWidget(self.job)
        self.parent_folder.changed.connect(self.refresh)
        self.name.textChanged.connect(self.refresh)
        self.seed.valueChanged.connect(lambda seed: remember("study/seed", str(seed)))
        self.job.running_changed.connect(self._on_running)

    @property
    def target(self) -> Path | None:
        """Folder of the new study; None if no parent folder is chosen."""
        folder = self.parent_folder.path
        return None if folder is None else folder / (self.name.text().strip() or self._free(folder))

    def initializePage(self) -> None:
        """Show the summary."""
        self.refresh()

    def isComplete(self) -> bool:
        """Return whether the name is valid and no study is being created."""
        return not self.problem.text() and not self.job.running

    def refresh(self) -> None:
        """Suggest a name, and show the summary or what is wrong."""
        folder, target = self.parent_folder.path, self.target
        self.name.setPlaceholderText("" if folder is None else self._free(folder))
        problem = ""
        if folder is None or target is None:
            problem = "Choose a folder for the study."
        elif target.parent != folder or target in (folder, folder / ".."):
            problem = "The name of the study must be a plain folder name, without slashes."
        elif is_there(target):
            problem = f"{target} exists already; choose another name."
        self.problem.setText(breakable(problem))
        self.problem.setVisible(bool(problem))
        self._show_overview()
        self.completeChanged.emit()

    def _show_overview(self) -> None:
        while self.overview.rowCount():
            self.overview.removeRow(0)
        origins, available = self._source.origins(), self._source.availability()
        if origins is None or available is None:
            return
        for name, text in overview(self._source.protocol(), origins, available):
            label = QLabel(breakable(text))
            label.setWordWrap(True)
            self.overview.addRow(name, label)

    def _free(self, folder: Path) -> str:
        number = 1
        while is_there(folder / f"{_NAME}-{number}"):
            number += 1
        return f"{_NAME}-{number}"

    def _on_running(self, running: bool) -> None:
        self._fields.setDisabled(running)
        self.completeChanged.emit()
