"""Fields for settings that are remembered from one session to the next."""

import os
from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import QLocale, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QSizePolicy,
    QSpinBox,
    QWidget,
)

from napari_cowgan.tooltips import TOOLTIPS
from napari_cowgan.widgets.controls import row, text_button
from napari_cowgan.widgets.dialogs import ask_for_file
from napari_cowgan.widgets.settings import (
    recall_count,
    recall_flag,
    recall_number,
    recall_text,
    remember,
)


class PathField(QWidget):
    """A line for a path, with a button that opens a dialog.

    Parameters
    ----------
    key : str
        Under which the path is remembered, such as "data/scans"; its last part is the key
        of the tooltip.
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

    def __init__(self, key: str, placeholder: str, filters: str = "") -> None:
        super().__init__()
        self._key = key
        name = key.rpartition("/")[2]
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


class Choice(QComboBox):
    """A choice among a few, each shown in words.

    Parameters
    ----------
    key : str
        Under which the choice is remembered; its last part is the key of the tooltip.
    options : sequence of (str, str)
        Text and value of each.
    value : str, optional
        What is chosen at first; by default the first.
    """

    def __init__(
        self, key: str, options: Sequence[tuple[str, str]], value: str | None = None
    ) -> None:
        super().__init__()
        for text, offered in options:
            self.addItem(text, offered)
        self.setToolTip(TOOLTIPS[key.rpartition("/")[2]])
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(110)
        self.choose(recall_text(key, value or options[0][1]))
        self.currentIndexChanged.connect(lambda: remember(key, self.chosen))

    @property
    def chosen(self) -> str:
        """The value that is chosen."""
        return str(self.currentData())

    def choose(self, value: str) -> None:
        """Choose a value; one that is not offered becomes the first."""
        self.setCurrentIndex(max(self.findData(value), 0))


class Count(QSpinBox):
    """A whole number.

    Parameters
    ----------
    key : str
        Under which the number is remembered; its last part is the key of the tooltip.
    minimum, maximum, value : int
        What it may be, and what it is at first.
    """

    def __init__(self, key: str, minimum: int, maximum: int, value: int) -> None:
        super().__init__()
        self.setRange(minimum, maximum)
        self.setGroupSeparatorShown(maximum >= 10_000)
        self.setToolTip(TOOLTIPS[key.rpartition("/")[2]])
        self.setValue(recall_count(key, value))
        self.valueChanged.connect(lambda count: remember(key, count))


class Decimal(QDoubleSpinBox):
    """A number with two decimals.

    Parameters
    ----------
    key : str
        Under which the number is remembered; its last part is the key of the tooltip.
    minimum, maximum, value : float
        What it may be, and what it is at first.
    step : float
        What an arrow adds.
    """

    def __init__(self, key: str, minimum: float, maximum: float, value: float, step: float) -> None:
        super().__init__()
        # A point, as everywhere else in the plugin and its reports.
        self.setLocale(QLocale.c())
        self.setRange(minimum, maximum)
        self.setSingleStep(step)
        self.setToolTip(TOOLTIPS[key.rpartition("/")[2]])
        self.setValue(recall_number(key, value))
        self.valueChanged.connect(lambda number: remember(key, number))


class Tick(QCheckBox):
    """A yes or no.

    Parameters
    ----------
    key : str
        Under which it is remembered; its last part is the key of the tooltip.
    text : str
        What is said to be so.
    value : bool
        What it is at first.
    """

    def __init__(self, key: str, text: str, value: bool) -> None:
        super().__init__(text)
        self.setToolTip(TOOLTIPS[key.rpartition("/")[2]])
        self.setChecked(recall_flag(key, value))
        self.toggled.connect(lambda on: remember(key, on))
