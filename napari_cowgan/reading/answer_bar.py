"""Bar below the image with the answers."""

from collections.abc import Callable
from functools import partial

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from cowgan.turing.design.trials import Design, Trial
from cowgan.turing.reading.session import Session
from cowgan.turing.reading.snapshot import Snapshot, State
from napari_cowgan.reading import texts
from napari_cowgan.reading.keys import LEVELS, Action
from napari_cowgan.reading.styled_widgets import button, label

HEIGHT_PX = 108


class AnswerBar(QWidget):
    """Buttons for answer, confidence and continuing, and a reminder of the mouse actions.

    Both answers look alike, whichever is chosen.

    Parameters
    ----------
    design : {"rating", "2afc"}
        Design of the study.
    act : callable
        Called with the action of a button.
    """

    def __init__(self, design: Design, act: Callable[[Action], None]) -> None:
        super().__init__()
        self.setObjectName("answers")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        # Fixed, so that all images have the same size.
        self.setFixedHeight(HEIGHT_PX)
        self._design = design
        self.question = label("question", wrap=False)
        named = zip(
            (Action.FIRST, Action.SECOND),
            texts.ANSWERS[design],
            texts.ANSWER_KEYS[design],
            strict=True,
        )
        self.answers = [
            button(
                f"{answer}   {key}",
                f"Answer: {answer.lower()} (key {key})",
                partial(act, action),
                checkable=True,
                kind="big",
            )
            for action, answer, key in named
        ]
        for made in self.answers:
            made.setMinimumWidth(170)
        self.scale = label("question", wrap=False)
        self.levels = [
            button(str(level), "", partial(act, action), checkable=True, kind="big")
            for level, action in enumerate(LEVELS, 1)
        ]
        self._anchors = [label("anchor", wrap=False) for _ in self.levels]
        self.mouse = label("muted", wrap=False)
        self.verdict = label("verdict")
        self.next = button(
            "Next   ⏎",
            "Save this answer and continue; it cannot be changed afterwards (Enter)",
            partial(act, Action.GO_ON),
            kind="big",
        )
        self.next.setMinimumWidth(130)
        self.next.setProperty("main", True)
        self._lay_out()

    def show_trial(self, trial: Trial) -> None:
        """Show the question of a trial."""
        impression = trial.phase == "impression"
        self.question.setText(texts.question(self._design, trial))
        self.question.setVisible(not impression)
        self.scale.setText(self.question.text() if impression else "How sure are you?")
        for made in self.answers:
            made.setVisible(not impression)
        meanings = texts.QUALITY if impression else texts.CONFIDENCE
        for level, (made, anchor, meaning) in enumerate(
            zip(self.levels, self._anchors, meanings, strict=True), 1
        ):
            anchor.setText(meaning)
            tooltip = f"{meaning.capitalize()} (key {level})"
            made.setToolTip(tooltip)
            made.setAccessibleName(tooltip)

    def show_mip(self, mip: bool) -> None:
        """Show the mouse actions in slices, or in the projection."""
        rows = "".join(
            f"<tr><td>{what}&nbsp;&nbsp;</td><td>{effect}</td></tr>"
            for what, effect in (texts.MOUSE_MIP if mip else texts.MOUSE)
        )
        self.mouse.setText(f"<table>{rows}</table>")

    def refresh(self, session: Session) -> None:
        """Show what is chosen and what can be chosen."""
        snapshot = session.snapshot
        answers = session.course.rules.answers
        feedback = session.state is State.FEEDBACK
        for made, answer in zip(self.answers, answers, strict=True):
            made.setChecked(snapshot.answer == answer)
            made.setEnabled(session.accepts("answer"))
        for level, made in enumerate(self.levels, 1):
            made.setChecked(snapshot.level == level)
            made.setEnabled(session.accepts("level"))
        self.next.setEnabled(session.accepts("commit") or feedback)
        self._show_verdict(session.trial if feedback else None, snapshot)

    def _show_verdict(self, trial: Trial | None, snapshot: Snapshot) -> None:
        self.verdict.setVisible(trial is not None)
        self.mouse.setVisible(trial is None)
        if trial is not None:
            self.verdict.setText(texts.feedback(trial, self._design, snapshot.answer))

    def _lay_out(self) -> None:
        levels = QGridLayout()
        levels.setHorizontalSpacing(6)
        levels.setVerticalSpacing(2)
        for column, (made, anchor) in enumerate(zip(self.levels, self._anchors, strict=True)):
            made.setMinimumWidth(72)
            anchor.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            levels.addWidget(made, 0, column)
            levels.addWidget(anchor, 1, column)
        top = Qt.AlignmentFlag.AlignTop
        grid = QGridLayout(self)
        grid.setContentsMargins(16, 8, 16, 8)
        grid.setHorizontalSpacing(20)
        grid.setVerticalSpacing(4)
        answers = QHBoxLayout()
        answers.setSpacing(8)
        for made in self.answers:
            answers.addWidget(made)
        grid.addWidget(self.question, 0, 0)
        grid.addLayout(answers, 1, 0, top)
        grid.addWidget(self.scale, 0, 1)
        grid.addLayout(levels, 1, 1, top)
        grid.addWidget(self.verdict, 1, 2, top)
        grid.addWidget(self.mouse, 0, 2, 2, 1, Qt.AlignmentFlag.AlignRight)
        grid.setColumnStretch(2, 1)
        grid.addWidget(self.next, 1, 3, top)
