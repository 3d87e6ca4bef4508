"""Summary of the open study: name, state, and hashes to publish."""

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QFrame, QLabel, QSizePolicy, QVBoxLayout, QWidget
from superqt import QElidingLabel

from cowgan.turing.study.publication import collected_line, frozen_line
from cowgan.turing.study.study import Study
from napari_cowgan.study.tasks import StudyStatus
from napari_cowgan.widgets.controls import SWATCH, hint, row, swatch, text_button

_FROZEN, _OPEN = "#5fa8d3", "#f0b252"
_BEFORE_READING = "Publish before reading starts"
_STARTED = "Hash of the frozen study"
_BEFORE_UNBLINDING = "Publish before you analyse"
_DIGITS_PER_LINE = 32


class StudySummary(QWidget):
    """Shows the name, state and hashes of the open study."""

    def __init__(self) -> None:
        super().__init__()
        self.name = _eliding()
        font = self.name.font()
        font.setBold(True)
        self.name.setFont(font)
        self._mark = QLabel()
        self.state = QLabel()
        self.facts = hint("")
        self.notes = hint("")
        self.frozen = PublishedHash(
            "SHA-256 of protocol, volumes, key, audit and packages; once published, it proves that "
            "none of them was changed afterwards"
        )
        self.collected = PublishedHash(
            "SHA-256 of the study and every answer; published before unblinding, it proves that no "
            "answer was changed or added afterwards"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.setSpacing(4)
        head = row(self.name, self._mark, self.state)
        head.setStretch(0, 1)
        layout.addLayout(head)
        layout.addWidget(self.facts)
        layout.addWidget(self.notes)
        layout.addWidget(self.frozen)
        layout.addWidget(self.collected)

    def show_status(self, status: StudyStatus) -> None:
        """Show a study, and the hash to publish at this stage."""
        study = status.study
        self.name.setText(study.folder.name)
        self.name.setToolTip(str(study.folder))
        frozen = study.description["frozen"]
        self.state.setText("Not frozen" if frozen is None else f"Frozen {frozen['utc'][:10]}")
        self._mark.setPixmap(swatch(_OPEN if frozen is None else _FROZEN).pixmap(SWATCH))
        self.facts.setText(_facts(study))
        self.notes.setText("\n".join(study.notes))
        self.notes.setVisible(bool(study.notes))
        started = any(reader.state != "not returned" for reader in status.readers)
        title = _STARTED if started else _BEFORE_READING
        self.frozen.show_line(title, frozen_line(study) if study.frozen else "")
        done = study.frozen and not status.unfinished
        line = collected_line(study, status.readers) if done else ""
        self.collected.show_line(_BEFORE_UNBLINDING, "" if status.unblinding else line)


class PublishedHash(QFrame):
    """A hash in large digits, and a button that copies the line to publish.

    Parameters
    ----------
    tooltip : str
        What the hash covers.
    """

    def __init__(self, tooltip: str) -> None:
        super().__init__()
        self.title = QLabel()
        self.title.setWordWrap(True)
        font = self.title.font()
        font.setBold(True)
        self.title.setFont(font)
        self.digits = QLabel()
        self.digits.setStyleSheet("font-family: monospace; font-size: 15px;")
        self.digits.setToolTip(tooltip)
        self.digits.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.copy = text_button(
            "Copy line", "Copy a line with the hash, for example for a preregistration"
        )
        self.copy.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.copy.clicked.connect(lambda: QApplication.clipboard().setText(self._line))
        self._line = ""
        head = row(self.title, self.copy)
        head.setStretch(0, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.setSpacing(2)
        layout.addLayout(head)
        layout.addWidget(self.digits)

    def show_line(self, title: str, line: str) -> None:
        """Show the hash at the end of a line; nothing if there is none."""
        self._line = line
        self.title.setText(title)
        digest = line.rpartition(" ")[2]
        halves = digest[:_DIGITS_PER_LINE], digest[_DIGITS_PER_LINE:]
        self.digits.setText("\n".join(halves))
        self.digits.setAccessibleName(f"{title}: {digest}")
        self.setVisible(bool(line))


def _facts(study: Study) -> str:
    protocol = study.protocol
    rating = protocol.rules.design == "rating"
    facts = [
        f"{protocol.readers} {'reader' if protocol.readers == 1 else 'readers'}",
        f"{protocol.cases} cases" if rating else f"{protocol.cases // 2} pairs",
        f"{protocol.repeats} repeats" if protocol.repeats else "no repeats",
    ]
    if protocol.practice:
        facts.append(f"{protocol.practice} to practise")
    if protocol.impressions:
        facts.append(f"{protocol.impressions} impressions")
    generated = study.description["sources"]["generated"]
    facts.append(generated.get("model") or "generated volumes from a folder")
    return " · ".join(facts)


def _eliding() -> QElidingLabel:
    label = QElidingLabel()
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    return label
