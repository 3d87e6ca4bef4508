"""Small widgets and layouts shared by the panels."""

# superqt is only partly typed.
# mypy: allow-untyped-calls

import re

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QColor, QIcon, QImage, QPixmap
from qtpy.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible

from cowgan.text import markup, one_line
from napari_cowgan.widgets.icons import IconButton
from napari_cowgan.widgets.remembered import recall_flag, remember

SWATCH = QSize(12, 12)
_UNBOUNDED = 2**24 - 1
# napari's themes paint a checked button in the highlight colour; a header is no button.
_HEADER_STYLE = """
QPushButton, QPushButton:checked, QPushButton:hover, QPushButton:pressed {
    background: transparent; border: none; border-top: 1px solid rgba(128, 128, 128, 90);
    border-radius: 0; text-align: left; font-weight: bold; padding: 6px 2px 4px 2px;
}
QPushButton:hover, QPushButton:focus { background: rgba(128, 128, 128, 50); }
"""


class Section(QCollapsible):
    """A collapsible group of controls that remembers whether it is open."""

    def __init__(self, title: str, content: QWidget, expanded: bool = True) -> None:
        # As text, the arrow follows the theme; superqt's icons are always black. PySide6 treats
        # an icon without a pixmap as missing, so use an invisible one.
        invisible = QPixmap(1, 1)
        invisible.fill(Qt.GlobalColor.transparent)
        super().__init__(title, expandedIcon=QIcon(invisible), collapsedIcon=QIcon(invisible))
        self._title = title
        self.toggleButton().setStyleSheet(_HEADER_STYLE)
        self.setDuration(0)
        self.layout().setContentsMargins(0, 0, 0, 0)
        # superqt limits the height, which cuts off text that wraps or grows.
        self.layout().setAlignment(Qt.AlignmentFlag(0))
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.content().layout().setContentsMargins(4, 2, 4, 8)
        self.content().layout().addWidget(content)
        self.toggled.connect(self._on_toggled)
        if recall_flag(self._key, expanded):
            self.expand(animate=False)
        self._on_toggled(self.isExpanded())

    @property
    def _key(self) -> str:
        return f"section/{self._title}"

    def _on_toggled(self, expanded: bool) -> None:
        remember(self._key, expanded)
        # Tab must not reach folded controls.
        self.content().setVisible(expanded)
        if expanded:
            self.content().setMaximumHeight(_UNBOUNDED)
        self.setText(f"{'▾' if expanded else '▸'}  {self._title}")


class ThumbnailButton(QToolButton):
    """A button with a thumbnail above a caption."""

    def __init__(self, size: int, tooltip: str) -> None:
        super().__init__()
        self._size = size
        self.setIconSize(QSize(size, size))
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextUnderIcon)
        self.setToolTip(tooltip)
        self.setAutoRaise(True)
        self.clear()

    def clear(self) -> None:
        """Show an empty thumbnail."""
        pixmap = QPixmap(self._size, self._size)
        pixmap.fill(Qt.GlobalColor.black)
        self.setIcon(QIcon(pixmap))

    def show_pixmap(self, pixmap: QPixmap | None) -> None:
        """Show a thumbnail, or an empty one for None."""
        if pixmap is None:
            self.clear()
        else:
            self.setIcon(QIcon(pixmap))


def icon_button(icon: str, tooltip: str, checkable: bool = False) -> IconButton:
    """Return a small flat button that shows an icon."""
    button = IconButton(icon)
    button.setToolTip(tooltip)
    button.setAccessibleName(tooltip)
    button.setCheckable(checkable)
    return button


def text_button(text: str, tooltip: str) -> QPushButton:
    """Return a push button with a text."""
    button = QPushButton(text)
    button.setToolTip(tooltip)
    return button


def hint(text: str) -> QLabel:
    """Return a label for an explanation, in small type that wraps."""
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    label.setStyleSheet("font-size: 11px;")
    return label


def card(colour: str, title: str, text: str) -> QFrame:
    """Return a notice of a title and a text beside a coloured line."""
    frame = QFrame()
    frame.setObjectName("card")
    frame.setStyleSheet(f"QFrame#card {{ border-left: 4px solid {colour}; }}")
    heading = QLabel(title)
    heading.setStyleSheet("font-weight: bold; font-size: 15px;")
    body = QLabel(text)
    body.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    layout = QVBoxLayout(frame)
    layout.setContentsMargins(10, 4, 0, 4)
    layout.setSpacing(4)
    for label in (heading, body):
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        layout.addWidget(label)
    return frame


def breakable(text: str) -> str:
    """Return a text in which long paths may wrap, so that they do not widen the panel."""
    return re.sub(r"([/\\_.-])", "\\1\u200b", text)


def row(*items: QWidget | int) -> QHBoxLayout:
    """Return a horizontal layout of widgets; a number is a stretch."""
    layout = QHBoxLayout()
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(4)
    for item in items:
        if isinstance(item, int):
            layout.addStretch(item)
        else:
            layout.addWidget(item)
    return layout


def scrolling(content: QWidget) -> QScrollArea:
    """Return a frameless area that scrolls a widget vertically.

    The widget gets the width of the area, so it must not need more.
    """
    area = QScrollArea()
    area.setWidget(content)
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    return area


def plain_tooltip(text: str) -> str:
    """Return a tooltip that shows text from a file, which Qt might otherwise read as HTML."""
    return f"<qt>{markup(one_line(text))}</qt>"


def swatch(colour: str) -> QIcon:
    """Return an icon of one colour."""
    pixmap = QPixmap(SWATCH)
    pixmap.fill(QColor(colour))
    icon = QIcon(pixmap)
    # Qt tints the icon of a selected row by default.
    icon.addPixmap(pixmap, QIcon.Mode.Selected)
    return icon


def pixmap_of(grey: NDArray[np.uint8]) -> QPixmap:
    """Return a pixmap of a uint8 array (height, width)."""
    height, width = grey.shape
    image = QImage(grey.tobytes(), width, height, width, QImage.Format.Format_Grayscale8)
    return QPixmap.fromImage(image.copy())
