"""Page of a trial: its image, with answers below and tools beside it."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QWidget

from cowgan.turing.reading.manifest import Manifest
from cowgan.turing.reading.session import Session
from cowgan.turing.reading.snapshot import State
from napari_cowgan.reading import texts
from napari_cowgan.reading.answer_bar import AnswerBar
from napari_cowgan.reading.controller import ReadingController
from napari_cowgan.reading.image_area import ImageArea
from napari_cowgan.reading.keys import Action
from napari_cowgan.reading.side_panel import SidePanel


class TrialPage(QWidget):
    """Shows a trial, and what is answered.

    Parameters
    ----------
    manifest : Manifest
        Manifest of the package.
    act : callable
        Called with the action of a button.
    toggle_reason : callable
        Called with the reason for a mark.

    Attributes
    ----------
    image : ImageArea
        The volumes.
    answers : AnswerBar
        Answers below them.
    side : SidePanel
        Progress, marks and tools beside them.
    """

    def __init__(
        self,
        manifest: Manifest,
        act: Callable[[Action], None],
        toggle_reason: Callable[[str], None],
    ) -> None:
        super().__init__()
        self.setObjectName("reading")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        rules = manifest.rules
        self.image = ImageArea(manifest.display, rules)
        self.answers = AnswerBar(rules.design, act)
        self.side = SidePanel(rules, act, toggle_reason)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(0)
        grid.addWidget(self.image, 0, 0)
        # In tab order.
        grid.addWidget(self.answers, 1, 0, 1, 2)
        grid.addWidget(self.side, 0, 1)
        grid.setRowStretch(0, 1)
        grid.setColumnStretch(0, 1)
        self.image.drawn.connect(self.side.hint.clear)
        self.image.viewed.connect(lambda view: self._show_mip(view.mip))

    def follow(self, reading: ReadingController) -> None:
        """Show the hints of a reading."""
        reading.long_loading.connect(lambda: self.side.hint.setText(texts.LOADING))
        reading.long_viewed.connect(lambda: self.side.hint.setText(texts.HINT))

    def refresh(self, reading: ReadingController) -> None:
        """Show the state of a reading."""
        session = reading.session
        if session.state is State.LOADING and session.trial is not None:
            self.side.show_trial(session.course, session.trial)
            self.answers.show_trial(session.trial)
            self._show_mip(False)
        self.answers.refresh(session)
        saving = session.state in (State.COMMITTING, State.CLOSING)
        if saving or session.state is State.FEEDBACK:
            self.side.hint.setText(texts.SAVING if saving else "")
        self._show_marks(session)
        self.side.marks.setVisible(reading.marking.allowed)

    def _show_marks(self, session: Session) -> None:
        marks = session.snapshot.marks
        by_volume: dict[int, list[Any]] = defaultdict(list)
        for number, mark in enumerate(marks, 1):
            if session.trial is not None:
                volume = session.trial.cases.index(mark["case"])
                by_volume[volume].append((number, tuple(mark["voxel"])))
        self.image.show_marks(by_volume)
        self.side.marks.refresh([mark["reasons"] for mark in marks])

    def _show_mip(self, mip: bool) -> None:
        self.side.mip.setChecked(mip)
        self.answers.show_mip(mip)
