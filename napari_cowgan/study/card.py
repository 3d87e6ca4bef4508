"""The study that is open: its name, whether it is frozen, and the commitment to its key."""

from qtpy.QtWidgets import QApplication, QLabel, QSizePolicy, QVBoxLayout, QWidget
from superqt import QElidingLabel

from cowgan.turing.study import Study
from napari_cowgan.controls import SWATCH, hint, row, swatch, text_button
from napari_cowgan.tooltips import TOOLTIPS

_FROZEN, _OPEN = "#5fa8d3", "#f0b252"


class StudyCard(QWidget):
    """Tells which study is open."""

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
        self.commitment = _eliding()
        self.commitment.setToolTip(TOOLTIPS["key_commitment"])
        self.commitment.setAccessibleName("Commitment to the key")
        self.copy = text_button("Copy", "copy_commitment")
        self.copy.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.copy.clicked.connect(self._on_copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 2, 0, 2)
        layout.setSpacing(4)
        head = row(self.name, self._mark, self.state)
        head.setStretch(0, 1)
        layout.addLayout(head)
        layout.addWidget(self.facts)
        layout.addWidget(self.notes)
        key = row(QLabel("Commitment"), self.commitment, self.copy)
        key.setStretch(1, 1)
        layout.addLayout(key)

    def show_study(self, study: Study) -> None:
        """Show a study."""
        self.name.setText(study.folder.name)
        self.name.setToolTip(str(study.folder))
        frozen = study.description["frozen"]
        self.state.setText("Not frozen" if frozen is None else f"Frozen {frozen['utc'][:10]}")
        self._mark.setPixmap(swatch(_OPEN if frozen is None else _FROZEN).pixmap(SWATCH))
        self.facts.setText(_facts(study))
        self.notes.setText("\n".join(study.notes))
        self.notes.setVisible(bool(study.notes))
        self.commitment.setText(study.description["key_commitment"])

    def _on_copy(self) -> None:
        QApplication.clipboard().setText(self.commitment.text())


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
