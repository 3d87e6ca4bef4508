"""Beside the picture: progress, marks, what the mouse does, and tools."""

from collections.abc import Callable, Sequence
from functools import partial

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QProgressBar, QVBoxLayout, QWidget

from cowgan.turing.course import Course, Rules, Trial
from cowgan.turing.session import MAX_MARKS
from napari_cowgan.turing import texts
from napari_cowgan.turing.keys import Action
from napari_cowgan.turing.widgets import button, label

WIDTH_PX = 236


class SidePanel(QWidget):
    """Always as wide, so that every picture is as large.

    Parameters
    ----------
    rules : Rules
        Which tools there are.
    act : callable
        Told which tool is pressed.
    toggle_reason : callable
        Told which reason is pressed.
    """

    def __init__(
        self, rules: Rules, act: Callable[[Action], None], toggle_reason: Callable[[str], None]
    ) -> None:
        super().__init__()
        self.setObjectName("side")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(WIDTH_PX)
        self.progress = label("heading")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.hint = label("muted")
        self.marks = Marks(act, toggle_reason)
        self.mouse = label("muted")
        tip = texts.TOOLTIPS
        self.mip = button("MIP   M", tip["mip"], partial(act, Action.MIP), checkable=True)
        self.mip.setVisible(rules.mip)
        self.window_reset = button("Reset   W", tip["window"], partial(act, Action.RESET_WINDOW))
        self.pause = button("Pause   P", tip["pause"], partial(act, Action.PAUSE))
        self.full = button("Full   F11", tip["full"], partial(act, Action.FULL_SCREEN))
        tools = QGridLayout()
        tools.setSpacing(6)
        for place, made in enumerate((self.mip, self.window_reset, self.pause, self.full)):
            tools.addWidget(made, place // 2, place % 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 14, 14, 10)
        layout.setSpacing(8)
        layout.addWidget(self.progress)
        layout.addWidget(self.bar)
        layout.addWidget(self.hint)
        layout.addSpacing(8)
        layout.addWidget(self.marks)
        layout.addStretch(1)
        layout.addWidget(self.mouse)
        layout.addLayout(tools)

    def show_trial(self, course: Course, trial: Trial) -> None:
        """Show how far the reader is."""
        self.progress.setText(texts.progress(course, trial))
        self.bar.setRange(0, texts.count_of_phase(course, trial))
        self.bar.setValue(texts.done_of_phase(course, trial))
        self.hint.clear()

    def show_mip(self, mip: bool) -> None:
        """Tell what the mouse does in slices, or in the projection."""
        self.mip.setChecked(mip)
        rows = "".join(
            f"<tr><td>{what}&nbsp;&nbsp;</td><td>{effect}</td></tr>"
            for what, effect in (texts.MOUSE_MIP if mip else texts.MOUSE)
        )
        self.mouse.setText(f"<table>{rows}</table>")


class Marks(QWidget):
    """Tells how to mark places, and takes the reasons of the last one."""

    def __init__(self, act: Callable[[Action], None], toggle_reason: Callable[[str], None]) -> None:
        super().__init__()
        title = label("heading", "What gave it away?")
        self.told = label("muted")
        self.reasons = {
            reason: button(
                reason,
                texts.TOOLTIPS["reason"],
                partial(toggle_reason, reason),
                checkable=True,
                kind="chip",
            )
            for reason in texts.REASONS
        }
        for reason, made in self.reasons.items():
            made.setAccessibleName(f"{texts.TOOLTIPS['reason']}: {reason}")
        self.undo = button(
            "Undo   ⌫", texts.TOOLTIPS["undo"], partial(act, Action.UNDO_MARK), kind="chip"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(title)
        layout.addWidget(self.told)
        for made in self.reasons.values():
            layout.addWidget(made)
        layout.addWidget(self.undo)

    def refresh(self, reasons_of_marks: Sequence[Sequence[str]]) -> None:
        """Show the reasons of the last mark."""
        count = len(reasons_of_marks)
        if not count:
            told = "If you like, click the place in the image."
        elif count < MAX_MARKS:
            told = f"Place {count}: say why, or click another."
        else:
            told = f"Place {count}: say why."
        self.told.setText(told)
        for reason, made in self.reasons.items():
            made.setEnabled(count > 0)
            made.setChecked(count > 0 and reason in reasons_of_marks[-1])
        self.undo.setEnabled(count > 0)
