"""Choosing the volume by its seed."""

# superqt is only partly typed.
# mypy: allow-untyped-calls

from qtpy.QtCore import QRegularExpression
from qtpy.QtGui import QRegularExpressionValidator
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget
from superqt import QLargeIntSpinBox
from superqt.utils import signals_blocked

from cowgan.randomness import MAX_SEED
from napari_cowgan.controls import icon_button, row
from napari_cowgan.explorer.model import ExplorerModel
from napari_cowgan.tooltips import TOOLTIPS

_DIGITS = QRegularExpression("[0-9]*")


class SeedBox(QLargeIntSpinBox):
    """A field for an unsigned 64-bit seed."""

    def __init__(self, tooltip: str) -> None:
        super().__init__()
        self.setRange(0, MAX_SEED)
        self.setToolTip(TOOLTIPS[tooltip])
        self.setKeyboardTracking(False)
        # superqt's own validator takes digits such as ², on which its int() then fails.
        self.lineEdit().setValidator(QRegularExpressionValidator(_DIGITS, self))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(90)

    def show_value(self, seed: int) -> None:
        """Show a seed without telling anyone."""
        with signals_blocked(self):
            self.setValue(seed)


class SeedGroup(QWidget):
    """Seed, dice, previous, next and lock."""

    def __init__(self, model: ExplorerModel) -> None:
        super().__init__()
        self._model = model
        self.seed = SeedBox("seed")
        self.previous = icon_button("previous", "previous_seed")
        self.next = icon_button("next", "next_seed")
        self.dice = icon_button("dice", "dice")
        self.lock = icon_button("unlock", "lock", checkable=True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(row(self.seed, self.previous, self.next, self.dice, self.lock))
        self.seed.valueChanged.connect(lambda seed: model.set_seed(int(seed)))
        self.previous.clicked.connect(lambda: model.step_seed(-1))
        self.next.clicked.connect(lambda: model.step_seed(1))
        self.dice.clicked.connect(model.roll_seed)
        self.lock.toggled.connect(self._on_lock)
        model.state_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the model's seed."""
        self.seed.show_value(self._model.latent.seed)

    def _on_lock(self, locked: bool) -> None:
        self._model.lock_seed(locked)
        self.lock.set_icon("lock" if locked else "unlock")
        for control in (self.seed, self.previous, self.next, self.dice):
            control.setEnabled(not locked)
