"""Panel beside the image with progress, marks and tools."""

from collections.abc import Callable, Sequence
from functools import partial

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from cowgan.turing.design.trials import Course, Rules, Trial
from cowgan.turing.reading.marking import REASONS
from cowgan.turing.reading.steps import MAX_MARKS
from napari_cowgan.reading import texts
from napari_cowgan.reading.keys import Action
from napari_cowgan.reading.styled_widgets import button, label

WIDTH_PX = 236
_REASON_TOOLTIP = "Reason for the last mark"


class SidePanel(QWidget):
    """Progress, marks and tools, in a fixed width so that all images have the same size.

    Parameters
    ----------
    rules : Rules
        Decide which tools are available.
    act : callable
        Called with the action of a tool.
    toggle_reason : callable
        Called with a reason when it is pressed.
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
        # Reserve its space, so that nothing moves when it appears.
        kept = self.marks.sizePolicy()
        kept.setRetainSizeWhenHidden(True)
        self.marks.setSizePolicy(kept)

        def tool(text: str, tooltip: str, action: Action, checkable: bool = False) -> QPushButton:
            return button(text, tooltip, partial(act, action), checkable=checkable, kind="tool")

        self.mip = tool(
            "MIP   M",
            "Switch between slices and maximum intensity projection (M)",
            Action.MIP,
            True,
        )
        self.mip.setVisible(rules.mip)
        self.pause = tool("Pause   P", "Hide the image and rest (P)", Action.PAUSE)
        self.window_reset = tool(
            "Reset brightness   W", "Reset brightness and contrast (W)", Action.RESET_WINDOW
        )
        self.full = tool(
            "Full screen   F11", "Enter or leave full screen (F11)", Action.FULL_SCREEN
        )
        self.help = tool("? F1", texts.HELP_TOOLTIP, Action.HELP)
        tools = QGridLayout()
        tools.setSpacing(6)
        tools.addWidget(self.mip, 0, 0)
        tools.addWidget(self.pause, 0, 1 if rules.mip else 0, 1, 1 if rules.mip else 2)
        tools.addWidget(self.window_reset, 1, 0, 1, 2)
        # Another row would make the window too high for small laptops.
        last = QHBoxLayout()
        last.setSpacing(tools.spacing())
        last.addWidget(self.full, 1)
        last.addWidget(self.help)
        tools.addLayout(last, 2, 0, 1, 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 14, 14, 10)
        layout.setSpacing(8)
        layout.addWidget(self.progress)
        layout.addWidget(self.bar)
        layout.addWidget(self.hint)
        layout.addWidget(self.marks)
        layout.addStretch(1)
        layout.addLayout(tools)

    def show_trial(self, course: Course, trial: Trial) -> None:
        """Show the progress of the reader."""
        self.progress.setText(texts.progress(course, trial))
        self.bar.setRange(0, texts.count_of_phase(course, trial))
        self.bar.setValue(texts.done_of_phase(course, trial))
        self.hint.clear()


class Marks(QWidget):
    """Explains how to mark locations, and offers reasons for the last mark."""

    def __init__(self, act: Callable[[Action], None], toggle_reason: Callable[[str], None]) -> None:
        super().__init__()
        title = label("heading", "What gave it away?")
        self.text = label("muted")
        self.reasons = {
            reason: button(
                reason,
                _REASON_TOOLTIP,
                partial(toggle_reason, reason),
                checkable=True,
                kind="chip",
            )
            for reason in REASONS
        }
        for reason, made in self.reasons.items():
            made.setAccessibleName(f"{_REASON_TOOLTIP}: {reason}")
        self.undo = button(
            "Undo   ⌫",
            "Remove the last mark (Backspace)",
            partial(act, Action.UNDO_MARK),
            kind="chip",
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(title)
        layout.addWidget(self.text)
        for made in self.reasons.values():
            layout.addWidget(made)
        layout.addSpacing(4)
        layout.addWidget(self.undo)

    def refresh(self, reasons_of_marks: Sequence[Sequence[str]]) -> None:
        """Show the reasons of the last mark."""
        count = len(reasons_of_marks)
        if not count:
            text = "Click the location, if you like."
        elif count < MAX_MARKS:
            text = f"Location {count}: why? Or another."
        else:
            text = f"Location {count}: why?"
        self.text.setText(text)
        for reason, made in self.reasons.items():
            made.setEnabled(count > 0)
            made.setChecked(count > 0 and reason in reasons_of_marks[-1])
        self.undo.setEnabled(count > 0)
