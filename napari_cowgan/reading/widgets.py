"""Buttons, labels and areas of the reading window, which the style sheet knows by name."""

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QPushButton, QWidget


def button(
    text: str, tooltip: str, pressed: Callable[[], None], *, checkable: bool = False, kind: str = ""
) -> QPushButton:
    """Return a button that is reached by Tab but does not keep the focus after a click.

    Parameters
    ----------
    text, tooltip : str
        What it says and what it does.
    pressed : callable
        Called on every press; a checkable button is checked by whoever owns it.
    checkable : bool
        Whether it can look chosen.
    kind : str
        ``"big"``, ``"tool"`` or ``"chip"``, as in the style sheet.
    """
    made = QPushButton(text)
    made.setToolTip(tooltip)
    made.setAccessibleName(tooltip or text)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    made.setCheckable(checkable)
    made.setAutoDefault(False)
    if kind:
        made.setProperty(kind, True)
    made.clicked.connect(lambda: pressed())
    return made


def label(name: str, text: str = "", *, wrap: bool = True) -> QLabel:
    """Return a label, whose text may take several lines."""
    made = QLabel(text)
    made.setObjectName(name)
    made.setWordWrap(wrap)
    return made


def area(name: str) -> QWidget:
    """Return a widget to put others in."""
    made = QWidget()
    made.setObjectName(name)
    made.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    return made
