"""Keyboard focus of a panel whose controls are disabled for a while."""

from collections.abc import Callable

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QWidget


class FocusKeeper:
    """Remembers the control of a panel that has the keyboard focus, and restores it.

    Qt takes the focus from controls that are disabled, and may leave it nowhere. While a dialog is
    in front, the control counts that has the focus again once the dialog is closed.

    Parameters
    ----------
    panel : QWidget
        The panel.
    """

    def __init__(self, panel: QWidget) -> None:
        self._panel = panel
        self._focused: QWidget | None = None

    def during_work(self, running: bool, refresh: Callable[[], None]) -> None:
        """Refresh the panel as work begins or ends, which disables or enables its controls."""
        if running:
            self.keep()
        refresh()
        if not running:
            self.restore()

    def keep(self) -> None:
        """Remember the focused control, if it is one of the panel."""
        focused = self._panel.window().focusWidget()
        inside = focused is not None and self._panel.isAncestorOf(focused)
        self._focused = focused if inside else None

    def restore(self) -> None:
        """Focus the remembered control, or the next that Tab reaches, if none has the focus."""
        kept, self._focused = self._focused, None
        if kept is None or self._panel.window().focusWidget() is not None:
            return
        widget: QWidget | None = kept
        while widget is not None and not _reached_by_tab(widget):
            widget = widget.nextInFocusChain()
            if widget is kept:
                # The focus chain is a ring; a closed panel has no control that Tab reaches.
                return
        if widget is not None:
            widget.setFocus()


def _reached_by_tab(widget: QWidget) -> bool:
    return bool(
        widget.isVisible() and widget.isEnabled() and widget.focusPolicy() & Qt.FocusPolicy.TabFocus
    )
