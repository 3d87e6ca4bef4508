"""Control group for distributing and collecting packages."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QProgressBar,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from cowgan.turing.study.collection import ReaderProgress, ReaderState
from cowgan.turing.study.start_codes import StartState
from napari_cowgan.study.tasks import StudyStatus
from napari_cowgan.widgets.controls import SWATCH, hint, row, swatch, text_button
from napari_cowgan.widgets.dialogs import ask_for_file, ask_for_name

_STATES: dict[ReaderState, tuple[str, str]] = {
    "not returned": ("Not returned", "#9a9fa6"),
    "under way": ("Under way", "#f0b252"),
    "declined": ("Declined", "#ee6c64"),
    "finished": ("Finished", "#74c68c"),
}
"""Name and colour of each state."""

_ZIP = "Zip files (*.zip)"
_NOT_FROZEN = "Packages can be distributed once the study is frozen."
_HANDED_OUT = (
    "Give each reader one package. Returned zip files, folders or journals can be dropped on this "
    "panel. A reader's finish code must match the one shown here. A start code noted before "
    "reading reveals whether a reader starts over."
)
_START_NOTES: dict[StartState, str] = {
    "same": " (as noted before)",
    "another": " (another was noted: read more than once)",
    "late": " (noted after the first answer)",
    "not told": "",
}
_BAR_HEIGHT = 15
_MOST_LINES = 10


class ReadersGroup(QWidget):
    """Lists readers, and distributes and collects their packages.

    Signals
    -------
    zip_requested : str, Path
        The user wants to save a reader's package as this file.
    read_requested : str
        The user wants to read a reader's package on this computer.
    start_code_entered : str, str
        Reader and start code.
    folder_requested : str
        The user wants to see the folder of a reader's package.
    returned : list of Path
        Returned packages.
    """

    zip_requested = Signal(str, object)
    read_requested = Signal(str)
    start_code_entered = Signal(str, str)
    folder_requested = Signal(str)
    returned = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.advice = hint("")
        self.list = ReaderList()
        self.zip = text_button(
            "Save as zip…", "Save the selected reader's package as one file to send"
        )
        self.folder = text_button("Show folder", "Open the folder of the selected reader's package")
        self.read = text_button(
            "Read here…",
            "Read the selected package on this computer; its answers are collected automatically",
        )
        self.start = text_button(
            "Start code…",
            "Note the code that the selected reader reports before the first case; the returned "
            "journal must have the same",
        )
        self.codes = hint("")
        self.codes.setStyleSheet("font-family: monospace; font-size: 12px;")
        self.codes.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.collect_zip = text_button(
            "Collect zip…", "Collect a returned package or its journal as a zip file"
        )
        self.collect_folder = text_button(
            "Collect folder…", "Collect a returned package as a folder"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addWidget(self.advice)
        layout.addWidget(self.list)
        layout.addWidget(self.codes)
        layout.addLayout(row(self.zip, self.folder, self.read))
        layout.addLayout(row(self.start, self.collect_zip, self.collect_folder))
        self._status: StudyStatus | None = None
        self.list.currentItemChanged.connect(self._refresh)
        self.list.itemActivated.connect(lambda: self.folder.click())
        self.zip.clicked.connect(self._choose_zip)
        self.start.clicked.connect(self._ask_for_start)
        self.folder.clicked.connect(lambda: self.folder_requested.emit(self.list.selected))
        self.read.clicked.connect(lambda: self.read_requested.emit(self.list.selected))
        self.collect_zip.clicked.connect(self._choose_returned_zip)
        self.collect_folder.clicked.connect(self._choose_returned_folder)
        self._refresh()

    def show_status(self, status: StudyStatus) -> None:
        """Show the progress of every reader."""
        self._status = status
        self.advice.setText(_HANDED_OUT if status.study.frozen else _NOT_FROZEN)
        self.list.show_readers(status.readers)
        self._refresh()

    def _refresh(self) -> None:
        status, reader = self._status, self.list.selected
        frozen = status is not None and status.study.frozen
        for button in (self.zip, self.folder, self.read, self.start):
            button.setEnabled(frozen and bool(reader))
        for button in (self.collect_zip, self.collect_folder):
            button.setEnabled(frozen)
        codes = "" if status is None or not reader else _codes(status, reader)
        self.codes.setText(codes)
        self.codes.setVisible(bool(codes))

    def _ask_for_start(self) -> None:
        reader = self.list.selected
        ask_for_name(
            self,
            "Start code",
            lambda code: self.start_code_entered.emit(reader, code),
            what=f"Start code that {reader} reports before the first case",
        )

    def _choose_zip(self) -> None:
        reader = self.list.selected
        ask_for_file(
            self,
            "Save package",
            lambda path: self.zip_requested.emit(reader, path),
            _ZIP,
            save_as=f"{reader}.zip",
        )

    def _choose_returned_zip(self) -> None:
        ask_for_file(self, "Returned package", self._take, _ZIP)

    def _choose_returned_folder(self) -> None:
        ask_for_file(self, "Returned package", self._take, folder=True)

    def _take(self, path: Path) -> None:
        self.returned.emit([path])


class ReaderList(QTreeWidget):
    """Readers with state, completed trials and time of the last answer."""

    def __init__(self) -> None:
        super().__init__()
        self.setHeaderLabels(["Reader", "State", "Trials", "Last"])
        self.setRootIsDecorated(False)
        self.setIndentation(0)
        self.setIconSize(SWATCH)
        self.setStyleSheet("QTreeWidget::item { padding: 3px 0; }")
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setToolTip("Readers; select one to distribute the package")
        self.setAccessibleName("Readers")
        header = self.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)

    @property
    def selected(self) -> str:
        """The selected reader; empty if there is none."""
        item = self.currentItem()
        return "" if item is None else item.text(0)

    def show_readers(self, readers: Sequence[ReaderProgress]) -> None:
        """List readers, keeping the selected one, or selecting the first."""
        selected = self.selected
        self.clear()
        for reader in readers:
            word, colour = _STATES[reader.state]
            last = "" if reader.last_seen is None else _when(reader.last_seen)
            item = QTreeWidgetItem([reader.reader, word, "", last])
            item.setIcon(1, swatch(colour))
            trials = f"{reader.done} of {reader.total} trials"
            for column in range(4):
                item.setToolTip(column, f"{reader.reader}: {word.lower()}, {trials}")
            self.addTopLevelItem(item)
            self.setItemWidget(item, 2, _bar(reader.done, reader.total))
            if reader.reader == selected or self.currentItem() is None:
                self.setCurrentItem(item)
        lines = min(max(len(readers), 1), _MOST_LINES)
        height = self.header().sizeHint().height() + lines * self.sizeHintForRow(0)
        self.setFixedHeight(height + 2 * self.frameWidth() + 2)


def _codes(status: StudyStatus, reader: str) -> str:
    """Return both codes of a reader, and whether the start code matches the noted one."""
    start = status.starts[reader]
    (finish,) = [of.finish_code for of in status.readers if of.reader == reader]
    lines = []
    if start.code is None and start.told:
        lines.append(f"Noted start code: {', '.join(one.code for one in start.told)}")
    elif start.code is not None:
        lines.append(f"Start code: {start.code}{_START_NOTES[start.state]}")
    if finish is not None:
        lines.append(f"Finish code: {finish}")
    return "\n".join(lines)


def _bar(done: int, total: int) -> QProgressBar:
    bar = QProgressBar()
    bar.setRange(0, total)
    bar.setValue(done)
    bar.setFormat("%v of %m")
    bar.setFixedHeight(_BAR_HEIGHT)
    bar.setAlignment(Qt.AlignmentFlag.AlignCenter)
    return bar


def _when(utc: str) -> str:
    """Return the local time if it is today, or else the date."""
    moment = datetime.fromisoformat(utc).astimezone()
    return moment.strftime("%H:%M" if moment.date() == datetime.now().date() else "%d %b")
