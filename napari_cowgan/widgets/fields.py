"""Form fields whose values are remembered between sessions."""

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
from superqt.utils import signals_blocked

from napari_cowgan.widgets.controls import row, text_button
from napari_cowgan.widgets.dialogs import ask_for_file
from napari_cowgan.widgets.remembered import (
    recall_count,
    recall_flag,
    recall_number,
    recall_text,
    remember,
)


class PathField(QWidget):
    """A path in a line, with a button that opens a dialog.

    Parameters
    ----------
    key : str
        Key under which the path is stored, such as "data/scans".
    placeholder : str
        Text shown while the line is empty, and title of the dialog.
    tooltip : str
        Tooltip of the line and of the button.
    filters : str, optional
        Qt file filters; by default, ask for a folder.

    Signals
    -------
    changed
        The path changed.
    """

    changed = Signal()

    def __init__(self, key: str, placeholder: str, tooltip: str, filters: str = "") -> None:
        super().__init__()
        self._key = key
        self._placeholder = placeholder
        self._filters = filters
        self.line = QLineEdit(recall_text(self._key))
        self.line.setPlaceholderText(placeholder)
        self.line.setAccessibleName(placeholder)
        self._tooltip = tooltip
        self.line.setClearButtonEnabled(True)
        # The panel handles dropped files; a line would insert their URL as text.
        self.line.setAcceptDrops(False)
        self.button = text_button("…", tooltip)
        self.button.setAccessibleName(f"Choose: {placeholder}")
        self.button.setFixedWidth(28)
        self.setLayout(row(self.line, self.button))
        self._describe()
        self.line.textChanged.connect(self._on_text)
        self.button.clicked.connect(self._choose)

    @property
    def path(self) -> Path | None:
        """The path in the line; None if it is empty."""
        text = self.line.text().strip()
        # Unlike `Path.expanduser`, this leaves an unknown user's home unchanged.
        return Path(os.path.expanduser(text)) if text else None  # noqa: PTH111

    def set_path(self, path: Path | str) -> None:
        """Set the path."""
        self.line.setText(str(path))

    def _on_text(self, text: str) -> None:
        remember(self._key, text)
        self._describe()
        self.changed.emit()

    def _describe(self) -> None:
        # A long path does not fit into the line.
        lines = (self._tooltip, self.line.text())
        self.line.setToolTip("\n".join(filter(None, lines)))

    def _choose(self) -> None:
        ask_for_file(
            self, self._placeholder, self.set_path, self._filters, folder=not self._filters
        )


class Choice(QComboBox):
    """A combo box of options, each with a text and a value.

    Parameters
    ----------
    key : str
        Key under which the choice is stored.
    options : sequence of (str, str)
        Text and value of each.
    tooltip : str
        Tooltip of the field.
    value : str, optional
        Value that is chosen initially if none is stored; by default the first.
    """

    def __init__(
        self,
        key: str,
        options: Sequence[tuple[str, str]],
        tooltip: str,
        value: str | None = None,
    ) -> None:
        super().__init__()
        self._key = key
        self.setToolTip(tooltip)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(110)
        self.offer(options, value)
        self.currentIndexChanged.connect(lambda: remember(key, self.chosen))

    @property
    def chosen(self) -> str:
        """The chosen value."""
        return str(self.currentData())

    def offer(self, options: Sequence[tuple[str, str]], value: str | None = None) -> None:
        """Replace the options; choose what is stored, or else a value or the first one."""
        stored = recall_text(self._key)
        with signals_blocked(self):
            self.clear()
            for text, offered in options:
                self.addItem(text, offered)
            self.choose(stored if self.findData(stored) >= 0 else value or options[0][1])

    def choose(self, value: str) -> None:
        """Choose a value; an unknown one chooses the first option."""
        self.setCurrentIndex(max(self.findData(value), 0))


class Count(QSpinBox):
    """A spin box for an integer.

    Parameters
    ----------
    key : str
        Key under which the number is stored.
    minimum, maximum, value : int
        Range and initial value.
    tooltip : str
        Tooltip of the field.
    """

    def __init__(self, key: str, minimum: int, maximum: int, value: int, tooltip: str) -> None:
        super().__init__()
        self.setRange(minimum, maximum)
        self.setGroupSeparatorShown(maximum >= 10_000)
        self.setToolTip(tooltip)
        self.setValue(recall_count(key, value))
        self.valueChanged.connect(lambda count: remember(key, count))


class Decimal(QDoubleSpinBox):
    """A spin box for a number with two decimals.

    Parameters
    ----------
    key : str
        Key under which the number is stored.
    minimum, maximum, value : float
        Range and initial value.
    step : float
        Increment of the arrows.
    tooltip : str
        Tooltip of the field.
    """

    def __init__(
        self, key: str, minimum: float, maximum: float, value: float, step: float, tooltip: str
    ) -> None:
        super().__init__()
        # A decimal point, as everywhere in the plugin and its reports.
        self.setLocale(QLocale.c())
        self.setRange(minimum, maximum)
        self.setSingleStep(step)
        self.setToolTip(tooltip)
        self.setValue(recall_number(key, value))
        self.valueChanged.connect(lambda number: remember(key, number))


class Tick(QCheckBox):
    """A check box.

    Parameters
    ----------
    key : str
        Key under which the value is stored.
    text : str
        Label.
    value : bool
        Initial value.
    tooltip : str
        Tooltip of the field.
    """

    def __init__(self, key: str, text: str, value: bool, tooltip: str) -> None:
        super().__init__(text)
        self.setToolTip(tooltip)
        self.setChecked(recall_flag(key, value))
        self.toggled.connect(lambda on: remember(key, on))
