"""Buttons, labels and areas of the reading window, named for its style sheet."""

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QPushButton, QWidget


def button(
    text: str, tooltip: str, pressed: Callable[[], None], *, checkable: bool = False, kind: str = ""
) -> QPushButton:
    """Return a button that Tab reaches but that does not take the focus on a click.

    Parameters
    ----------
    text, tooltip : str
        Label and tooltip.
    pressed : callable
        Called on every press; the caller checks a checkable button.
    checkable : bool
        Whether it can be checked.
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
    """Return a label, which wraps by default."""
    made = QLabel(text)
    made.setObjectName(name)
    made.setWordWrap(wrap)
    return made


def area(name: str) -> QWidget:
    """Return a container for other widgets."""
    made = QWidget()
    made.setObjectName(name)
    made.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    return made
