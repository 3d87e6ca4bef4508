"""Page of text that is shown between images."""

import time
from collections.abc import Callable
from functools import partial

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QApplication,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_cowgan.reading.styled_widgets import area, button, label
from napari_cowgan.reading.texts import HELP_TOOLTIP, Text

_WIDTH_PX = 760
_MIN_READING_S = 1.0
_MOST_EXTRA = 3


class Page(QWidget):
    """Shows a `Text` with its buttons.

    Parameters
    ----------
    go_on, other, help_me : callable
        Called when the main, the last or the help button is pressed.
    also : callable
        Called with the label of a button between them.
    """

    def __init__(
        self,
        go_on: Callable[[], None],
        also: Callable[[str], None],
        other: Callable[[], None],
        help_me: Callable[[], None],
    ) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._text: Text | None = None
        self._also = also
        self._shown_at = 0.0
        self.title = label("title")
        self.body = label("body")
        self.code = label("code")
        self.code.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.code.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.code.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.note = label("note")
        self.go_on = button("", "", go_on, kind="big")
        self.go_on.setProperty("main", True)
        self.also = [
            button("", "", partial(self._press_also, place), kind="big")
            for place in range(_MOST_EXTRA)
        ]
        self.other = button("", "", other, kind="big")
        self.help = button("? F1", HELP_TOOLTIP, help_me, kind="tool")
        card = area("card")
        card.setFixedWidth(_WIDTH_PX)
        column = QVBoxLayout(card)
        column.setSpacing(18)
        column.addStretch(1)
        for line in (self.title, self.body, self.code, self.note):
            column.addWidget(line)
        row = QHBoxLayout()
        row.setSpacing(12)
        for made in self._buttons:
            row.addWidget(made)
        row.addStretch(1)
        column.addSpacing(6)
        column.addLayout(row)
        column.addStretch(2)
        around = area("text")
        centred = QHBoxLayout(around)
        centred.addStretch(1)
        centred.addWidget(card)
        centred.addStretch(1)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(around)
        foot = QHBoxLayout()
        foot.setContentsMargins(14, 0, 14, 10)
        foot.addStretch(1)
        # Over the margin of the text: the longest text leaves no room below it on small laptops.
        layout = QGridLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll, 0, 0)
        layout.addLayout(foot, 0, 0, Qt.AlignmentFlag.AlignBottom)
        foot.addWidget(self.help)

    def show_text(self, text: Text, code: str = "") -> bool:
        """Show a text, and return whether it differs from the current one."""
        if text == self._text and code == self.code.text():
            return False
        self._text, self._shown_at = text, time.monotonic()
        self.title.setText(text.title)
        self.body.setText("".join(f"<p style='line-height: 135%'>{p}</p>" for p in text.body))
        self.code.setText(code)
        self.code.setVisible(bool(code))
        self.note.setText(text.note)
        self.note.setVisible(bool(text.note))
        _name(self.go_on, f"{text.go_on}   ⏎", text.go_on)
        for place, made in enumerate(self.also):
            name = text.also[place] if place < len(text.also) else ""
            _name(made, name, name)
        _name(self.other, text.other, text.other)
        return True

    def press(self) -> None:
        """Press the focused button, or else the main one."""
        if self._text is None or (
            self._text.deliberate and time.monotonic() - self._shown_at < _MIN_READING_S
        ):
            return
        focused = QApplication.focusWidget()
        made = next((one for one in self._buttons if one is focused), self.go_on)
        if made.isVisible():
            made.click()

    @property
    def _buttons(self) -> list[QPushButton]:
        return [self.go_on, *self.also, self.other]

    def _press_also(self, place: int) -> None:
        if self._text is not None:
            self._also(self._text.also[place])


def _name(made: QPushButton, shown: str, name: str) -> None:
    made.setText(shown)
    made.setAccessibleName(name)
    made.setVisible(bool(name))
