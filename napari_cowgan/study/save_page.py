"""Last page of a new study: its name and seed, what it will be, and making it."""

# superqt is only partly typed.
# mypy: allow-untyped-calls

from pathlib import Path

from qtpy.QtWidgets import QFormLayout, QLabel, QLineEdit, QVBoxLayout, QWidget, QWizardPage

from cowgan.randomness import MAX_SEED
from napari_cowgan.study.new_study import ProtocolSource, overview
from napari_cowgan.widgets.controls import breakable, hint
from napari_cowgan.widgets.fields import PathField
from napari_cowgan.widgets.jobs import JobBar
from napari_cowgan.widgets.seed_box import SeedBox
from napari_cowgan.widgets.settings import is_there, recall_text, remember

_SECRET = (
    "The seed decides, together with a secret that stays in this folder, which volumes are "
    "taken and in which order each reader sees them. The folder holds the key: give readers "
    "their packages and nothing else of it."
)
_NAME = "turing-study"


class SavePage(QWizardPage):
    """Folder, name and seed, a summary, and the progress of making it.

    Parameters
    ----------
    source : ProtocolSource
        Tells what all pages together come to.
    """

    def __init__(self, source: ProtocolSource) -> None:
        super().__init__()
        self.setTitle("Where is the study kept?")
        self._source = source
        self.parent_folder = PathField(
            "study/parent",
            "Folder for studies",
            "Folder in which the study gets a folder of its own",
        )
        if self.parent_folder.path is None:
            self.parent_folder.set_path(Path.home() / "turing-studies")
        self.name = QLineEdit()
        self.name.setToolTip("Name of the study and of its folder; empty for the one suggested")
        self.name.setAccessibleName("Name of the study")
        self.seed = SeedBox(
            "With the same seed, other studies still differ: the secret is always new"
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
        """Where the study would be, None if no place is chosen."""
        folder = self.parent_folder.path
        return None if folder is None else folder / (self.name.text().strip() or self._free(folder))

    def initializePage(self) -> None:
        """Say what will be made."""
        self.refresh()

    def isComplete(self) -> bool:
        """Return whether there is a new name, and nothing is being made yet."""
        return not self.problem.text() and not self.job.running

    def refresh(self) -> None:
        """Suggest a name, and say what will be made or why it cannot."""
        folder, target = self.parent_folder.path, self.target
        self.name.setPlaceholderText("" if folder is None else self._free(folder))
        problem = ""
        if folder is None or target is None:
            problem = "Choose a folder for the study."
        elif target.parent != folder or target in (folder, folder / ".."):
            problem = "The name of the study must be a word or several, without slashes."
        elif is_there(target):
            problem = f"{target} exists already; choose another name."
        self.problem.setText(breakable(problem))
        self.problem.setVisible(bool(problem))
        self._show_overview()
        self.completeChanged.emit()

    def _show_overview(self) -> None:
        while self.overview.rowCount():
            self.overview.removeRow(0)
        origins, found = self._source.origins(), self._source.found()
        if origins is None or found is None:
            return
        for name, text in overview(self._source.protocol(), origins, found):
            told = QLabel(breakable(text))
            told.setWordWrap(True)
            self.overview.addRow(name, told)

    def _free(self, folder: Path) -> str:
        number = 1
        while is_there(folder / f"{_NAME}-{number}"):
            number += 1
        return f"{_NAME}-{number}"

    def _on_running(self, running: bool) -> None:
        self._fields.setDisabled(running)
        self.completeChanged.emit()
