"""Controls for the open model, the device and the precision."""

from collections.abc import Callable
from pathlib import Path

import torch
from qtpy.QtWidgets import (
    QComboBox,
    QLabel,
    QMenu,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)
from superqt import QElidingLabel

from cowgan.checkpoint import BUNDLED, Checkpoint, load
from cowgan.progress import Progress, advance
from cowgan.synthesis import Synthesizer
from napari_cowgan.explorer.explorer_model import ExplorerModel
from napari_cowgan.explorer.model_card import ModelCardDialog, architecture
from napari_cowgan.widgets.controls import (
    breakable,
    hint,
    icon_button,
    plain_tooltip,
    row,
    text_button,
)
from napari_cowgan.widgets.dialogs import ask_for_file
from napari_cowgan.widgets.jobs import JobBar
from napari_cowgan.widgets.problems import show_problem
from napari_cowgan.widgets.recent_menu import add_recent
from napari_cowgan.widgets.remembered import (
    is_there,
    recall_text,
    remember,
    remember_recent,
)

_FILTER = "Checkpoints (*.safetensors *.pt)"
_DEVICES = {"auto": "Automatic device", "cpu": "CPU", "cuda": "CUDA GPU", "mps": "Apple GPU"}
_CPU_NOTE = "On the CPU: coarse while you drag, then complete."


class CheckpointGroup(QWidget):
    """Name and card of the open model, the menu that opens another, device and precision.

    Attributes
    ----------
    advanced : QWidget
        Device and precision, which the panel places elsewhere.
    """

    def __init__(self, model: ExplorerModel) -> None:
        super().__init__()
        self._model = model
        self.name = QElidingLabel("No model open")
        self.name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        font = self.name.font()
        font.setBold(True)
        self.name.setFont(font)
        self.card = icon_button(
            "info", "Model card: what this model was trained on and how it may be used"
        )
        self.open = text_button(
            "Open",
            "Open a 3D StyleGAN checkpoint (.safetensors, or .pt of the published code); "
            "you can also drop the file on this panel or on the canvas",
        )
        self.open.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._menu = QMenu(self.open)
        self._menu.setToolTipsVisible(True)
        self._menu.aboutToShow.connect(self._fill_menu)
        self.open.setMenu(self._menu)
        self.facts = hint("")
        self.notes = hint("")
        self.slices = QComboBox()
        self.slices.setToolTip("Number of slices of this model; .pt files do not store it")
        self._depth_row = QWidget()
        self._depth_row.setLayout(row(QLabel("Slices"), self.slices, 1))
        self.device = QComboBox()
        self.device.setToolTip("Device that computes the volumes")
        for kind, label in _DEVICES.items():
            if kind in ("auto", "cpu", *_accelerators()):
                self.device.addItem(label, kind)
        self.precision = QComboBox()
        self.precision.setToolTip(
            "Fast uses the fastest number format of the device; exact uses 32 bits"
        )
        self.precision.addItem("Fast precision", "fast")
        self.precision.addItem("Exact precision", "exact")
        for box in (self.device, self.precision):
            box.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            box.setMinimumWidth(110)
        self.device.setCurrentIndex(max(self.device.findData(recall_text("device", "auto")), 0))
        remembered = self.precision.findData(recall_text("precision", "fast"))
        self.precision.setCurrentIndex(max(remembered, 0))
        self._in_use = (self.device.currentData(), self.precision.currentData())
        self.advanced = QWidget()
        self.advanced.setLayout(row(self.device, self.precision))
        self.job = JobBar()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(row(self.name, self.card, self.open))
        layout.addWidget(self.facts)
        layout.addWidget(self.notes)
        layout.addWidget(self._depth_row)
        layout.addWidget(self.job)
        self.card.clicked.connect(self.show_card)
        self.device.activated.connect(self._on_device)
        self.precision.activated.connect(self._on_device)
        self.slices.activated.connect(self._on_depth)
        model.model_changed.connect(self.refresh)
        self.job.running_changed.connect(self._on_running)
        self.refresh()

    def open_checkpoint(
        self,
        path: Path,
        depth: int | None = None,
        then: Callable[[], None] = lambda: None,
    ) -> None:
        """Load a model in the background, switch to it, then call `then`.

        If loading fails, the current model stays open.
        """
        device, precision = self.device.currentData(), self.precision.currentData()

        def work(progress: Progress) -> Synthesizer:
            synthesizer = Synthesizer(load(path, depth), device, precision)
            advance(progress, 1, 1)
            return synthesizer

        def use(synthesizer: Synthesizer) -> None:
            if path == BUNDLED:
                # Not its path, which depends on the installation.
                remember("last_checkpoint", "")
            else:
                remember_recent("checkpoints", path)
                remember("last_checkpoint", str(path.resolve()))
            self._model.use(synthesizer)
            then()

        def fail(error: BaseException) -> None:
            self._fail(error)
            if self._model.checkpoint is None and path != BUNDLED:
                self.open_checkpoint(BUNDLED)

        self.job.run(f"Opening {path.name}", work, use, fail, self._revert)

    def open_last(self) -> None:
        """Open the model used last, or else the bundled one."""
        last = recall_text("last_checkpoint")
        self.open_checkpoint(Path(last) if last and is_there(last) else BUNDLED)

    def refresh(self) -> None:
        """Show the open model."""
        checkpoint, synthesizer = self._model.checkpoint, self._model.synthesizer
        self.card.setEnabled(checkpoint is not None)
        self._depth_row.setVisible(checkpoint is not None and _lacks_depth(checkpoint))
        if checkpoint is None or synthesizer is None:
            self.name.setText("No model open")
            self.facts.setText("Open a checkpoint to begin.")
            self.notes.hide()
            return
        self.name.setText(checkpoint.card.name)
        self.name.setToolTip(plain_tooltip(checkpoint.card.name))
        self.facts.setText(architecture(checkpoint))
        on_cpu = synthesizer.device.type == "cpu"
        notes = [*checkpoint.notes, *([_CPU_NOTE] if on_cpu else [])]
        self.notes.setText(breakable("\n".join(notes)))
        self.notes.setVisible(bool(notes))
        config = checkpoint.config
        self.slices.clear()
        sizes = [2**i for i in range(2, config.image_size.bit_length())]
        self.slices.addItems([str(size) for size in sizes])
        self.slices.setCurrentText(str(config.depth))

    def show_card(self) -> None:
        """Show the model card."""
        checkpoint = self._model.checkpoint
        if checkpoint is not None:
            ModelCardDialog(checkpoint, self).open()

    def _fill_menu(self) -> None:
        self._menu.clear()
        self._menu.addAction("Open file…", self._choose_file)
        self._menu.addAction("Open folder of a published model…", self._choose_folder)
        self._menu.addAction("Model that comes with the program", self._open_bundled)
        add_recent(self._menu, "checkpoints", self.open_checkpoint)

    def _open_bundled(self) -> None:
        self.open_checkpoint(BUNDLED)

    def _choose_file(self) -> None:
        ask_for_file(self, "Open model", self.open_checkpoint, _FILTER)

    def _choose_folder(self) -> None:
        ask_for_file(self, "Open model", self.open_checkpoint, folder=True)

    def _on_device(self) -> None:
        checkpoint = self._model.checkpoint
        if checkpoint is None:
            return
        device, precision = self.device.currentData(), self.precision.currentData()

        def work(progress: Progress) -> Synthesizer:
            synthesizer = Synthesizer(checkpoint, device, precision)
            advance(progress, 1, 1)
            return synthesizer

        def use(synthesizer: Synthesizer) -> None:
            remember("device", device)
            remember("precision", precision)
            self._in_use = (device, precision)
            self._model.use(synthesizer)

        self.job.run("Changing device", work, use, self._fail, self._revert)

    def _fail(self, error: BaseException) -> None:
        self._revert()
        show_problem(self, error)

    def _revert(self) -> None:
        """Show the device, precision and slices in use instead of the requested ones."""
        device, precision = self._in_use
        self.device.setCurrentIndex(self.device.findData(device))
        self.precision.setCurrentIndex(self.precision.findData(precision))
        self.refresh()

    def _on_running(self, running: bool) -> None:
        # Another choice would cancel the loading.
        for box in (self.device, self.precision, self.slices):
            box.setDisabled(running)

    def _on_depth(self) -> None:
        checkpoint = self._model.checkpoint
        if checkpoint is not None and checkpoint.path is not None:
            self.open_checkpoint(checkpoint.path, int(self.slices.currentText()))


def _lacks_depth(checkpoint: Checkpoint) -> bool:
    return checkpoint.path is not None and checkpoint.path.suffix != ".safetensors"


def _accelerators() -> list[str]:
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    return [kind for kind, there in available.items() if there]
