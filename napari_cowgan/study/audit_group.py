"""What the blinding audit found, and freezing the study on it."""

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QLineEdit, QVBoxLayout, QWidget

from cowgan.turing.blinding.audit import AUC_LIMIT, P_LIMIT, Audit
from cowgan.turing.blinding.classifier_test import Separability
from cowgan.turing.study.study import Study
from napari_cowgan.study.exhibit_view import ExhibitView
from napari_cowgan.widgets.controls import SWATCH, Section, hint, row, swatch, text_button

if TYPE_CHECKING:
    import napari

_PASS, _LEAK, _NOTE = ("Pass", "#74c68c"), ("Leak", "#ee6c64"), ("Note", "#5fa8d3")
_OFFENDERS_TOLD = 4
_TIERS = (
    ("A", "Files"),
    ("B", "Grey levels"),
    ("C", "Texture"),
)
_ALIKE = "Alike in size, date, header, names and order; no word of the truth."
_AT_CHANCE = "A simple program tells the kinds apart no better than by chance."
_TELLS = "A simple program tells the kinds apart by it"
_NOTED = "This can be the generator's own doing, so it is reported beside the readers' results"
_LEAKS = (
    "The study is not blinded. Bring both kinds to one chain of processing, or say why it is to "
    "be read all the same; the report prints the reason."
)
_READY = "Nothing gives a volume away but its look. Freeze the study to hand out the packages."
_FROZEN = "Nothing gives a volume away but its look."


class AuditGroup(QWidget):
    """Three tiers with pass or leak, pictures, and freezing.

    Parameters
    ----------
    viewer : napari.Viewer
        Whose theme the plots follow.

    Signals
    -------
    check_wished
        A person wants the audit to be done again.
    freeze_wished : str
        A person wants the study frozen, in spite of leaks for this reason unless it is empty.
    """

    check_wished = Signal()
    freeze_wished = Signal(str)

    def __init__(self, viewer: "napari.Viewer") -> None:
        super().__init__()
        self.marks = [QLabel() for _ in _TIERS]
        self.words = [QLabel() for _ in _TIERS]
        self.found = [hint("") for _ in _TIERS]
        self.advice = hint("")
        self.reason = QLineEdit()
        self.reason.setPlaceholderText("Reason, such as “a pilot on contrast only”")
        self.reason.setAccessibleName("Why the study is frozen in spite of leaks")
        self.reason.setToolTip(
            "Why the study is read although the audit found leaks; the report prints it"
        )
        self.freeze = text_button(
            "Freeze", "Declare the study ready; from then on packages can be handed out"
        )
        self.check = text_button(
            "Audit again",
            "Read all packages once more and look for anything that gives a kind away",
        )
        self.pictures = ExhibitView(viewer)
        self.picture_section = Section("What the audit compared", self.pictures)
        self._study: Study | None = None
        self._build()
        self.reason.textChanged.connect(self._refresh)
        self.reason.returnPressed.connect(self._on_freeze)
        self.freeze.clicked.connect(self._on_freeze)
        self.check.clicked.connect(self.check_wished)

    def _build(self) -> None:
        tiers = QGridLayout()
        tiers.setContentsMargins(0, 0, 0, 0)
        tiers.setHorizontalSpacing(6)
        tiers.setVerticalSpacing(6)
        top = Qt.AlignmentFlag.AlignTop
        for place, (letter, name) in enumerate(_TIERS):
            title = QLabel(f"{letter}  {name}")
            self.words[place].setStyleSheet("font-weight: bold;")
            tiers.addWidget(title, 2 * place, 0)
            tiers.addWidget(self.marks[place], 2 * place, 1)
            tiers.addWidget(self.words[place], 2 * place, 2)
            tiers.addWidget(self.found[place], 2 * place + 1, 0, 1, 3, top)
        tiers.setColumnStretch(2, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addLayout(tiers)
        layout.addWidget(self.advice)
        layout.addWidget(self.reason)
        layout.addLayout(row(self.freeze, self.check))
        layout.addWidget(self.picture_section)

    def show_study(self, study: Study) -> None:
        """Show the stored audit of a study."""
        same = self._study is not None and self._study.folder == study.folder
        self._study, audit = study, study.audit
        for place, (mark, text) in enumerate(_tiers(audit)):
            word, colour = mark
            self.marks[place].setPixmap(swatch(colour).pixmap(SWATCH))
            self.words[place].setText(word)
            self.found[place].setText(text)
        if not same:
            self.reason.clear()
        self.pictures.show_study(study)
        self._refresh()

    def hide_pictures(self) -> None:
        """Cover what tells the kinds apart, until somebody unfolds it."""
        self.picture_section.collapse(animate=False)

    def _refresh(self) -> None:
        study = self._study
        if study is None:
            return
        leaks, frozen = study.audit.leaks, study.frozen
        self.reason.setVisible(bool(leaks) and not frozen)
        self.freeze.setVisible(not frozen)
        self.freeze.setText("Freeze all the same" if leaks else "Freeze")
        self.freeze.setEnabled(not leaks or bool(self.reason.text().strip()))
        if study.accepted_leak:
            told = f"Frozen in spite of leaks: {study.accepted_leak}"
        elif frozen:
            told = _FROZEN
        else:
            told = _LEAKS if leaks else _READY
        self.advice.setText(told)

    def _on_freeze(self) -> None:
        if self.freeze.isEnabled():
            self.freeze_wished.emit(self.reason.text().strip())


def _tiers(audit: Audit) -> list[tuple[tuple[str, str], str]]:
    """Return mark and explanation of each tier."""
    grey, texture = audit.grey, audit.texture
    form = "; ".join(audit.form)
    files = (_LEAK, f"{form[0].upper()}{form[1:]}.") if form else (_PASS, _ALIKE)
    return [
        files,
        (_LEAK, f"{_numbers(grey)}. {_TELLS}{_named(grey)}.")
        if _tells(grey)
        else (_PASS, f"{_numbers(grey)}. {grey.remark or _AT_CHANCE}"),
        (_NOTE, f"{_numbers(texture)}. {_TELLS}{_named(texture)}. {_NOTED}.")
        if _tells(texture)
        else (_PASS, f"{_numbers(texture)}. {texture.remark or _AT_CHANCE}"),
    ]


def _tells(found: Separability) -> bool:
    return found.p < P_LIMIT or found.auc >= AUC_LIMIT


def _numbers(found: Separability) -> str:
    return f"AUC {found.auc:.2f}, p {found.p:.3f}"


def _named(found: Separability) -> str:
    """Return the features that differ most, each with its own AUC."""
    named = [
        f"{one.feature} ({one.auc:.2f}, {one.side})" for one in found.offenders[:_OFFENDERS_TOLD]
    ]
    return f", most of all: {', '.join(named)}" if named else ""
