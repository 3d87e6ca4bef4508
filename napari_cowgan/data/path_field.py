"""A file or folder that can be typed, pasted or chosen, and is remembered."""

import os
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLineEdit, QWidget

from napari_cowgan.controls import row, text_button
from napari_cowgan.dialogs import ask_for_file
from napari_cowgan.settings import recall_text, remember
from napari_cowgan.tooltips import TOOLTIPS


class PathField(QWidget):
    """A line for a path, with a button that opens a dialog.

    Parameters
    ----------
    name : str
        Key of the tooltip and of the remembered path.
    placeholder : str
        What belongs in the line, shown while it is empty, and title of the dialog.
    filters : str, optional
        Qt's list of file kinds; by default a folder is asked for.

    Signals
    -------
    changed
        There is another path.
    """

    changed = Signal()

    def __init__(self, name: str, placeholder: str, filters: str = "") -> None:
        super().__init__()
        self._key = f"data/{name}"
        self._placeholder = placeholder
        self._filters = filters
        self.line = QLineEdit(recall_text(self._key))
        self.line.setPlaceholderText(placeholder)
        self.line.setAccessibleName(placeholder)
        self._explanation = TOOLTIPS[name]
        self.line.setClearButtonEnabled(True)
        # The panel takes dropped files; a line would take their address as text.
        self.line.setAcceptDrops(False)
        self.button = text_button("…", name)
        self.button.setAccessibleName(f"Choose: {placeholder}")
        self.button.setFixedWidth(28)
        self.setLayout(row(self.line, self.button))
        self._describe()
        self.line.textChanged.connect(self._on_text)
        self.button.clicked.connect(self._choose)

    @property
    def path(self) -> Path | None:
        """The path in the line, None if it is empty."""
        text = self.line.text().strip()
        # Unlike `Path.expanduser`, this leaves the home of somebody unknown as it is.
        return Path(os.path.expanduser(text)) if text else None  # noqa: PTH111

    def set_path(self, path: Path | str) -> None:
        """Put a path in the line."""
        self.line.setText(str(path))

    def _on_text(self, text: str) -> None:
        remember(self._key, text)
        self._describe()
        self.changed.emit()

    def _describe(self) -> None:
        # A long path does not fit into the line.
        lines = (self._explanation, self.line.text())
        self.line.setToolTip("\n".join(filter(None, lines)))

    def _choose(self) -> None:
        ask_for_file(
            self, self._placeholder, self.set_path, self._filters, folder=not self._filters
        )
