"""Controls for the seed."""

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_cowgan.explorer.explorer_model import ExplorerModel
from napari_cowgan.widgets.controls import icon_button, row, text_button
from napari_cowgan.widgets.seed_box import SeedBox


class SeedGroup(QWidget):
    """Seed, dice, previous, next, lock, and the button that browses seeds.

    Signals
    -------
    browse_requested
        The user wants to browse seeds.
    """

    browse_requested = Signal()

    def __init__(self, model: ExplorerModel) -> None:
        super().__init__()
        self._model = model
        self.seed = SeedBox(
            "Number that defines a volume; the same seed gives the same volume on every computer"
        )
        self.previous = icon_button("previous", "Previous seed (Ctrl+Alt+B)")
        self.next = icon_button("next", "Next seed (Ctrl+Alt+N)")
        self.dice = icon_button("dice", "Random seed (Ctrl+Alt+R)")
        self.lock = icon_button(
            "unlock",
            "Lock this seed: dice, previous, next and browsing do not change it",
            checkable=True,
        )
        self.browse = text_button("Browse…", "Browse thumbnails of many seeds (Ctrl+Alt+G)")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        # On a line of its own, a seed of 64 bits can be read in a narrow panel.
        layout.addWidget(self.seed)
        layout.addWidget(self.seed.problem)
        layout.addLayout(row(self.previous, self.next, self.dice, self.lock, 1, self.browse))
        self.seed.valueChanged.connect(model.set_seed)
        self.previous.clicked.connect(lambda: model.step_seed(-1))
        self.next.clicked.connect(lambda: model.step_seed(1))
        self.dice.clicked.connect(model.roll_seed)
        self.browse.clicked.connect(self.browse_requested)
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
