"""Status and curves of the watched run, and buttons that control it."""

from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QGridLayout, QLabel, QProgressBar, QSizePolicy, QVBoxLayout, QWidget
from superqt import QElidingLabel

from cowgan.training.remote_control import RunState, RunStatus
from cowgan.training.timing import duration
from napari_cowgan.training.curves import Curves
from napari_cowgan.training.run_watcher import RunUpdate
from napari_cowgan.training.runs import RunKind
from napari_cowgan.widgets.controls import SWATCH, breakable, hint, row, swatch, text_button

if TYPE_CHECKING:
    import napari

STATES: dict[RunState, tuple[str, str]] = {
    "starting": ("Starting", "#5fa8d3"),
    "training": ("Training", "#74c68c"),
    "paused": ("Paused", "#f0b252"),
    "saving": ("Saving", "#5fa8d3"),
    "stopped": ("Stopped", "#9a9fa6"),
    "finished": ("Finished", "#5fa8d3"),
    "failed": ("Failed", "#ee6c64"),
    "interrupted": ("Interrupted", "#ee6c64"),
}
"""Name and colour of each state."""

_EMPTY = (
    "No run is being watched. Start a new one below, or choose a run from the list and press "
    "Watch; its curves and samples then appear here as it trains."
)
_OPEN: dict[RunKind, tuple[str, str]] = {
    "generator": ("Open in explorer", "Open the newest model in the explorer"),
    "segmentation": (
        "Segment with it",
        "Open the Segmentation panel with the network of this run, once it has one",
    ),
}
_UNKNOWN = "–"
_FACTS = ("Speed", "Time left", "Memory", "Device")


class Monitor(QWidget):
    """Shows the status and curves of one run.

    Parameters
    ----------
    viewer : napari.Viewer
        Viewer whose theme the curves follow.

    Signals
    -------
    command_requested : str
        The user wants the active run to "pause", "resume" or "stop".
    next_requested : str
        The user wants to "open", "continue" or "grow" the run, which has ended.
    """

    command_requested = Signal(str)
    next_requested = Signal(str)

    def __init__(self, viewer: "napari.Viewer") -> None:
        super().__init__()
        self.folder: Path | None = None
        self.state: RunState | None = None
        self.empty = hint(_EMPTY)
        self.name = QElidingLabel()
        self.name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        font = self.name.font()
        font.setBold(True)
        self.name.setFont(font)
        self._dot = QLabel()
        self.word = QLabel()
        self.bar = QProgressBar()
        self.bar.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.facts = {name: QElidingLabel(_UNKNOWN) for name in _FACTS}
        self.pause = text_button(
            "Pause", "Pause after the current step with the state saved, or continue"
        )
        self.stop = text_button(
            "Stop and save", "Save the state and end; the run can be resumed later"
        )
        self.open = text_button(*_OPEN["generator"])
        self.resume = text_button("Resume", "Continue from the last saved state")
        self.grow = text_button(
            "Grow",
            "Set up a new run that starts from this one, with twice as many voxels along each side "
            "of a slice",
        )
        self._controls, self._next = QWidget(), QWidget()
        self.outcome = hint("")
        self.curves = Curves(viewer)
        self._content = QWidget()
        self._build()
        self.pause.clicked.connect(self._on_pause)
        self.stop.clicked.connect(lambda: self.command_requested.emit("stop"))
        self.open.clicked.connect(lambda: self.next_requested.emit("open"))
        self.resume.clicked.connect(lambda: self.next_requested.emit("continue"))
        self.grow.clicked.connect(lambda: self.next_requested.emit("grow"))
        self._content.hide()

    def _build(self) -> None:
        facts = QGridLayout()
        facts.setContentsMargins(0, 0, 0, 0)
        facts.setHorizontalSpacing(8)
        for place, (name, label) in enumerate(self.facts.items()):
            title = QLabel(name)
            title.setEnabled(False)
            # The name of a device may be longer than the panel is wide.
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            facts.addWidget(title, place, 0)
            facts.addWidget(label, place, 1)
        facts.setColumnStretch(1, 1)
        content = QVBoxLayout(self._content)
        content.setContentsMargins(0, 0, 0, 0)
        content.setSpacing(6)
        head = row(self.name, self._dot, self.word)
        head.setStretch(0, 1)
        content.addLayout(head)
        content.addWidget(self.bar)
        content.addLayout(facts)
        self._controls.setLayout(row(self.pause, self.stop))
        self._next.setLayout(row(self.open, self.resume, self.grow))
        content.addWidget(self._controls)
        content.addWidget(self.outcome)
        content.addWidget(self._next)
        content.addWidget(self.curves, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.empty)
        layout.addWidget(self._content, 1)

    def begin(self, folder: Path, kind: RunKind) -> None:
        """Show another run, or the same one from its beginning."""
        self.folder = folder
        self.grow.setVisible(kind == "generator")
        text, tooltip = _OPEN[kind]
        self.open.setText(text)
        self.open.setToolTip(tooltip)
        self.name.setText(folder.name)
        self.name.setToolTip(str(folder))
        self.curves.begin(kind)
        self.show_outcome("")
        self.show_status(RunStatus("starting", 0))
        self.empty.hide()
        self._content.show()

    def update_run(self, update: RunUpdate) -> None:
        """Show the changes since the last update."""
        if update.status is not None:
            self.show_status(update.status)
        self.curves.add(update.rows, update.restarted)

    def show_status(self, status: RunStatus) -> None:
        """Show the status of the run."""
        self.state = status.state
        word, colour = STATES[status.state]
        self.word.setText(word)
        self._dot.setPixmap(swatch(colour).pixmap(SWATCH))
        if status.steps:
            self.bar.setRange(0, status.steps)
            self.bar.setValue(status.step)
            self.bar.setFormat(f"Step {status.step:,} of {status.steps:,}")
        else:
            # The bar is busy until the run ends.
            self.bar.setRange(0, 0 if status.active else 1)
            self.bar.setFormat("")
        for name, fact in zip(_FACTS, _facts(status), strict=True):
            self.facts[name].setText(fact)
        controllable = status.state in ("training", "paused")
        self.pause.setText("Resume" if status.state == "paused" else "Pause")
        self.pause.setEnabled(controllable)
        self.stop.setEnabled(controllable)
        self._controls.setVisible(status.active)
        if status.active:
            self._next.hide()

    def offer_next(self) -> None:
        """Show what can be done with the run now that it has ended."""
        self._controls.hide()
        self._next.show()

    def enable_next(self, can_open: bool, can_continue: bool, can_grow: bool) -> None:
        """Enable those buttons of `offer_next` that can be used now."""
        self.open.setEnabled(can_open)
        self.resume.setEnabled(can_continue)
        self.grow.setEnabled(can_grow)

    def show_outcome(self, sentence: str) -> None:
        """Show how the run ended; nothing for an empty sentence."""
        self.outcome.setText(breakable(sentence))
        self.outcome.setVisible(bool(sentence))

    def _on_pause(self) -> None:
        self.command_requested.emit("resume" if self.state == "paused" else "pause")
        self.pause.setEnabled(False)


def _facts(status: RunStatus) -> tuple[str, str, str, str]:
    speed = f"{status.images_per_s:.3g} images/s" if status.images_per_s else _UNKNOWN
    memory = f"{status.peak_memory_mb / 1024:.1f} GB" if status.peak_memory_mb else _UNKNOWN
    left = _UNKNOWN if status.eta_s is None else duration(round(status.eta_s))
    return speed, left, memory, status.device or _UNKNOWN
