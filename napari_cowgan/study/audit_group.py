"""Control group for the blinding audit and for freezing the study."""

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
_MOST_OFFENDERS = 4
_TIERS = (
    ("A", "Files"),
    ("B", "Grey levels"),
    ("C", "Texture"),
)
_ALIKE = "Size, date, header, names and order are alike and do not reveal the truth."
_AT_CHANCE = "A simple classifier separates the kinds no better than chance."
_SEPARABLE = "A simple classifier separates the kinds by it"
_NOTED = "The generator itself may cause this, so it is reported beside the readers' results"
_LEAKS = (
    "The study is not blinded. Process both kinds in the same way, or state why it is read "
    "nevertheless; the report prints the reason."
)
_READY = (
    "Only the appearance of a volume can reveal its kind. Freeze the study to distribute packages."
)
_FROZEN = "Only the appearance of a volume can reveal its kind."


class AuditGroup(QWidget):
    """Outcome of the three tiers of the audit, its figures, and freezing.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer whose theme the plots follow.

    Signals
    -------
    check_requested
        The user wants the audit to be repeated.
    freeze_requested : str
        The user wants to freeze the study, with this reason if there are leaks.
    """

    check_requested = Signal()
    freeze_requested = Signal(str)

    def __init__(self, viewer: "napari.Viewer") -> None:
        super().__init__()
        self.marks = [QLabel() for _ in _TIERS]
        self.words = [QLabel() for _ in _TIERS]
        self.found = [hint("") for _ in _TIERS]
        self.advice = hint("")
        self.reason = QLineEdit()
        self.reason.setPlaceholderText("Reason, such as “a pilot on contrast only”")
        self.reason.setAccessibleName("Why the study is frozen despite leaks")
        self.reason.setToolTip("Why the study is read despite leaks; the report prints it")
        self.freeze = text_button("Freeze", "Fix the study, so that packages can be distributed")
        self.check = text_button(
            "Audit again",
            "Search all packages again for anything that reveals a kind",
        )
        self.pictures = ExhibitView(viewer)
        self.picture_section = Section("What the audit compared", self.pictures)
        self._study: Study | None = None
        self._build()
        self.reason.textChanged.connect(self._refresh)
        self.reason.returnPressed.connect(self._on_freeze)
        self.freeze.clicked.connect(self._on_freeze)
        self.check.clicked.connect(self.check_requested)

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
        """Collapse the figures, which show the kinds of the volumes."""
        self.picture_section.collapse(animate=False)

    def _refresh(self) -> None:
        study = self._study
        if study is None:
            return
        leaks, frozen = study.audit.leaks, study.frozen
        self.reason.setVisible(bool(leaks) and not frozen)
        self.freeze.setVisible(not frozen)
        self.freeze.setText("Freeze anyway" if leaks else "Freeze")
        self.freeze.setEnabled(not leaks or bool(self.reason.text().strip()))
        if study.accepted_leak:
            advice = f"Frozen despite leaks: {study.accepted_leak}"
        elif frozen:
            advice = _FROZEN
        else:
            advice = _LEAKS if leaks else _READY
        self.advice.setText(advice)

    def _on_freeze(self) -> None:
        if self.freeze.isEnabled():
            self.freeze_requested.emit(self.reason.text().strip())


def _tiers(audit: Audit) -> list[tuple[tuple[str, str], str]]:
    """Return the mark and explanation of each tier."""
    grey, texture = audit.grey, audit.texture
    form = "; ".join(audit.form)
    files = (_LEAK, f"{form[0].upper()}{form[1:]}.") if form else (_PASS, _ALIKE)
    return [
        files,
        (_LEAK, f"{_numbers(grey)}. {_SEPARABLE}{_named(grey)}.")
        if _separable(grey)
        else (_PASS, f"{_numbers(grey)}. {grey.remark or _AT_CHANCE}"),
        (_NOTE, f"{_numbers(texture)}. {_SEPARABLE}{_named(texture)}. {_NOTED}.")
        if _separable(texture)
        else (_PASS, f"{_numbers(texture)}. {texture.remark or _AT_CHANCE}"),
    ]


def _separable(found: Separability) -> bool:
    return found.p < P_LIMIT or found.auc >= AUC_LIMIT


def _numbers(found: Separability) -> str:
    return f"AUC {found.auc:.2f}, p {found.p:.3f}"


def _named(found: Separability) -> str:
    """Return the features that differ most, each with its own AUC."""
    named = [
        f"{one.feature} ({one.auc:.2f}, {one.side})" for one in found.offenders[:_MOST_OFFENDERS]
    ]
    return f", most of all: {', '.join(named)}" if named else ""
