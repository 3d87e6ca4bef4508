"""Line icons in the text colour of the current theme."""

from functools import lru_cache

from qtpy.QtCore import QByteArray, QRectF, QSize
from qtpy.QtGui import QPainter, QPaintEvent, QPalette
from qtpy.QtSvg import QSvgRenderer
from qtpy.QtWidgets import QStyle, QStyleOptionToolButton, QStylePainter, QToolButton

_SHAPES = {
    "previous": '<path d="M15 5 8 12l7 7"/>',
    "next": '<path d="m9 5 7 7-7 7"/>',
    "play": '<path d="M8 5v14l11-7z" fill="{color}"/>',
    "pause": '<path d="M8 5v14"/><path d="M16 5v14"/>',
    "dice": '<rect x="4" y="4" width="16" height="16" rx="3"/>'
    + "".join(
        f'<circle cx="{x}" cy="{y}" r="1" fill="{{color}}"/>'
        for x, y in ((8.5, 8.5), (15.5, 8.5), (12, 12), (8.5, 15.5), (15.5, 15.5))
    ),
    "lock": '<rect x="5" y="11" width="14" height="9" rx="2" fill="{color}"/>'
    '<path d="M8 11V8a4 4 0 0 1 8 0v3"/>',
    "unlock": '<rect x="5" y="11" width="14" height="9" rx="2"/>'
    '<path d="M8 11V8a4 4 0 0 1 7.6-1.8"/>',
    "reset": '<path d="M5 5v5h5"/><path d="M5.6 10A7 7 0 1 1 5 14"/>',
    "undo": '<path d="M9 6 4 11l5 5"/><path d="M4 11h10a5 5 0 0 1 0 9h-3"/>',
    "redo": '<path d="m15 6 5 5-5 5"/><path d="M20 11H10a5 5 0 0 0 0 9h3"/>',
    "swap": '<path d="M7 8h12l-3-3"/><path d="M17 16H5l3 3"/>',
    "menu": "".join(
        f'<circle cx="{x}" cy="12" r="1.3" fill="{{color}}"/>' for x in (5.5, 12, 18.5)
    ),
    "strip": '<rect x="3" y="7" width="18" height="10" rx="1.5"/>'
    '<path d="M9 7v10"/><path d="M15 7v10"/>',
    "strip open": '<rect x="3" y="7" width="18" height="10" rx="1.5" fill="{color}"/>',
    "info": '<circle cx="12" cy="12" r="8"/><path d="M12 11v5"/>'
    '<circle cx="12" cy="8" r=".6" fill="{color}"/>',
    "help": '<circle cx="12" cy="12" r="9"/>'
    '<path d="M9.3 9.3a2.8 2.8 0 1 1 4 2.9c-.9.5-1.3 1-1.3 2"/>'
    '<circle cx="12" cy="16.8" r=".5" fill="{color}"/>',
}


class IconButton(QToolButton):
    """A flat tool button with a line icon that follows the theme."""

    def __init__(self, icon: str) -> None:
        super().__init__()
        self._icon = icon
        self.setAutoRaise(True)

    def set_icon(self, icon: str) -> None:
        """Show another icon."""
        self._icon = icon
        self.update()

    def sizeHint(self) -> QSize:
        """Return a square as high as an input field."""
        return QSize(24, 24)

    def minimumSizeHint(self) -> QSize:
        """Return the smallest legible size."""
        return QSize(22, 22)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the frame, then the icon in the text colour."""
        painter = QStylePainter(self)
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        option.text = ""
        painter.drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option)
        group = QPalette.ColorGroup.Active if self.isEnabled() else QPalette.ColorGroup.Disabled
        color = self.palette().color(group, QPalette.ColorRole.ButtonText).name()
        side = min(self.width(), self.height(), 26) - 8
        box = QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(1.0 if self.isEnabled() else 0.35)
        _renderer(self._icon, color).render(painter, box)


@lru_cache(maxsize=64)
def _renderer(icon: str, color: str) -> QSvgRenderer:
    shapes = _SHAPES[icon].replace("{color}", color)
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" '
        f'stroke="{color}" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">'
        f"{shapes}</svg>"
    )
    return QSvgRenderer(QByteArray(svg.encode()))
