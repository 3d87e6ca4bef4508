"""Question before the panel or its window closes while corrections are in no file."""

from collections.abc import Callable

from napari.layers import Labels
from qtpy.QtCore import QObject, Qt, QTimer
from qtpy.QtWidgets import QMessageBox, QWidget

from napari_cowgan.segmentation.label_layers import LabelLayers
from napari_cowgan.widgets.close_guard import Close, CloseGuard


class UnsavedEdits(QObject):
    """Asks what to do with unsaved corrections before the panel or its window closes.

    The layers stay when the panel alone closes, but nothing would ask when the window does.

    Parameters
    ----------
    panel : QWidget
        The segmentation panel.
    layers : LabelLayers
        Knows the corrections.
    save : callable
        Lets the user save a layer.
    """

    def __init__(self, panel: QWidget, layers: LabelLayers, save: Callable[[Labels], None]) -> None:
        super().__init__(panel)
        self._panel = panel
        self._layers = layers
        self._save = save
        self._discarded = False
        self.question: QMessageBox | None = None
        self._guard = CloseGuard(panel, self._may_close)

    def attach(self) -> None:
        """Guard the dock and the window that hold the panel."""
        self._guard.attach()

    def _may_close(self, close: Close) -> bool:
        unsaved = self._layers.unsaved
        if not unsaved or self._discarded:
            return True
        if self.question is None:
            self._ask(unsaved, close)
        return False

    def _ask(self, unsaved: list[Labels], close: Close) -> None:
        box = self.question = QMessageBox(self._panel)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.setTextFormat(Qt.TextFormat.PlainText)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle("CoW-GAN")
        box.setText("Corrected arteries are not saved yet.")
        box.setInformativeText("\n".join(layer.name for layer in unsaved))
        save = box.addButton("Save…", QMessageBox.ButtonRole.AcceptRole)
        discard = box.addButton("Close without saving", QMessageBox.ButtonRole.DestructiveRole)
        cancel = box.addButton(QMessageBox.StandardButton.Cancel)
        box.setDefaultButton(save)
        box.setEscapeButton(cancel)

        def answer(button: object) -> None:
            if button is save:
                self._save(unsaved[0])
            elif button is discard:
                self._discarded = True
                # Not while a signal of a widget that is about to be deleted is being handled.
                QTimer.singleShot(0, close)

        box.buttonClicked.connect(answer)
        box.finished.connect(self._on_answered)
        box.open()

    def _on_answered(self) -> None:
        self.question = None
