"""What a new run is to train on, what, how and where; all is remembered."""

from collections.abc import Callable
from pathlib import Path
from typing import cast

import torch
from qtpy.QtCore import QTimer, Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QComboBox, QFormLayout, QLineEdit, QVBoxLayout, QWidget

from cowgan.bank.scaling import BankScaling
from cowgan.errors import CowganError
from cowgan.networks import PRESETS as NETWORKS
from cowgan.progress import Progress
from cowgan.training.config import Architecture, Precision, Preset, TrainingConfig, preset
from napari_cowgan.training.needs import Needs
from napari_cowgan.training.run_settings import ON_CPU, ON_GPU, Place, RunPlan
from napari_cowgan.training.volume_source import Size, Source, look_into
from napari_cowgan.widgets.controls import Section, breakable, hint, row, text_button
from napari_cowgan.widgets.fields import Choice, Count, PathField
from napari_cowgan.widgets.guards import WheelGuard
from napari_cowgan.widgets.jobs import Job
from napari_cowgan.widgets.problems import sentence
from napari_cowgan.widgets.settings import is_there, recall_text, remember

_PRESETS = {
    "projected": (
        "Projected",
        "Learns from a pretrained network, small at first: the quickest without a GPU.",
    ),
    "modern": ("Modern", "StyleGAN2 as it is trained today; needs a GPU for full size."),
    "paper": ("Paper", "As in Aydin et al. 2024; needs a GPU and patience."),
}
_RECIPES: dict[Architecture, Preset] = {
    "published": "paper",
    "modern": "modern",
    "projected": "projected",
}
_SCALINGS = (
    ("As they are, 0 to 1", "none"),
    ("Robust percentiles", "robust"),
    ("Darkest to brightest", "minmax"),
)
_PRECISIONS = (
    ("Quickest safe one", "auto"),
    ("32 bits (fp32)", "fp32"),
    ("16 bits (bf16)", "bf16"),
    ("16 bits, CUDA only (fp16)", "fp16"),
)
_PLACES = (("A process of its own", "process"), ("This process", "thread"))
_MODELS = "Models (*.safetensors *.pt)"
_NO_SOURCE = "Choose a training bank, or a folder of prepared NIfTI volumes."
_LOOK_AFTER_MS = 300
_ESTIMATE_AFTER_MS = 600
_MOST = 1_000_000_000


class PlanGroup(QWidget):
    """The settings of a new run.

    Signals
    -------
    changed
        Anything but the runs' folder.
    runs_changed
        The runs' folder.
    """

    changed = Signal()
    runs_changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._first = ON_GPU if torch.cuda.is_available() else ON_CPU
        self.source: Source | None = None
        self._look: Job | None = None
        self.volumes = PathField(
            "training/volumes",
            "Training bank or NIfTI folder",
            "What to learn from: a training bank, or a folder of prepared NIfTI volumes, "
            "of which a bank is made first; you can also drop the folder on this panel",
        )
        self.found = hint("")
        self.scaling = Choice(
            "training/bank_scaling",
            _SCALINGS,
            "How the files' intensities become 0 to 1; prepared volumes are so already",
        )
        recipes = [(_PRESETS[key][0], key) for key in self._first.presets]
        self.preset = Choice(
            "training/preset", recipes, "The recipe: losses, rates and discriminator"
        )
        self.about = hint("")
        self.network = Choice(
            "training/network",
            [(name, name) for name in NETWORKS],
            "The architecture; larger ones need more memory and time",
        )
        self.voxels = QComboBox()
        self.voxels.setToolTip(
            "Voxels that the network makes; a coarse one learns quickly and can be grown from later"
        )
        self.device = Choice(
            "training/training_device",
            _devices(),
            "Where to train; automatic takes a GPU if there is one",
        )
        network = NETWORKS[self.network.chosen]
        usual = preset(self.preset.chosen, network)
        self.batch = Count(
            "training/batch", 1, 4096, usual.batch, "Volumes per pass; fewer need less memory"
        )
        self.steps = Count(
            "training/steps",
            1,
            _MOST,
            self._first.steps,
            "Length of the run; it can be stopped earlier and made longer later",
        )
        self.init_from = PathField(
            "training/init_from",
            "Model or run to grow from",
            "Optional: a model of smaller volumes, or the folder of a run, whose weights "
            "the new run starts from",
            _MODELS,
        )
        self.runs = PathField(
            "training/runs",
            "Folder for runs",
            "Folder in which every run gets a folder of its own; the list below shows them",
        )
        self.name = QLineEdit()
        self.name.setToolTip("Name of the run and of its folder; empty for the one suggested")
        self.accumulate = Count(
            "training/accumulate",
            1,
            4096,
            usual.accumulate,
            "Passes whose gradients are added up to one step; batch × passes is what a "
            "step learns from",
        )
        self.save_every = Count(
            "training/save_every",
            1,
            _MOST,
            self._first.save_every,
            "Steps between saved states, which a run is resumed from after a crash",
        )
        self.sample_every = Count(
            "training/sample_every",
            1,
            _MOST,
            self._first.sample_every,
            "Steps between pictures of what the network makes",
        )
        self.precision = Choice(
            "training/training_precision", _PRECISIONS, "Number format of convolutions"
        )
        self.seed = Count(
            "training/training_seed",
            0,
            2**31 - 1,
            0,
            "Decides every random number, so that a run can be repeated",
        )
        self.capacity = Count(
            "training/capacity",
            1,
            256,
            self._first.capacity or network.network_capacity,
            "Width of the network: half the channels of its finest block",
        )
        self.most_channels = Count(
            "training/most_channels", 1, 4096, network.fmap_max, "Most channels of any block"
        )
        self.place = Choice(
            "training/place",
            _PLACES,
            "A process of its own cannot take napari down with it and may go on without it",
        )
        self.needs = Needs()
        self.start = text_button("Start", "Start this run")
        self.copy = text_button(
            "Copy command", "Copy the command that starts this run in a terminal or on a server"
        )
        self._timer = _patience(self, _LOOK_AFTER_MS, self._look_into)
        self._needs_timer = _patience(self, _ESTIMATE_AFTER_MS, self.find_needs)
        self._build()
        self._connect()
        if self.runs.path is None:
            self.runs.set_path(Path.home() / "cowgan-runs")
        self.voxels.setEnabled(False)
        self._on_volumes()
        self._describe()

    # Construction

    def _build(self) -> None:
        form = self._form = _form()
        form.addRow("Data", self.volumes)
        form.addRow(self.found)
        form.addRow("Intensities", self.scaling)
        form.addRow("Recipe", self.preset)
        form.addRow(self.about)
        form.addRow("Network", self.network)
        form.addRow("Size (z, x, y)", self.voxels)
        form.addRow("Batch", self.batch)
        form.addRow("Steps", self.steps)
        form.addRow("Device", self.device)
        form.addRow("Grow from", self.init_from)
        form.addRow("Runs in", self.runs)
        form.addRow("Name", self.name)
        advanced, more = QWidget(), _form()
        advanced.setLayout(more)
        more.addRow("Passes per step", self.accumulate)
        more.addRow("Save every", self.save_every)
        more.addRow("Picture every", self.sample_every)
        more.addRow("Precision", self.precision)
        more.addRow("Seed", self.seed)
        more.addRow("Channels", self.capacity)
        more.addRow("At most", self.most_channels)
        more.addRow("Train in", self.place)
        for field in (self.save_every, self.sample_every):
            field.setSuffix(" steps")
        self.most_channels.setSuffix(" channels")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(form)
        layout.addWidget(Section("Advanced", advanced, expanded=False))
        layout.addWidget(self.needs)
        layout.addLayout(row(self.start, self.copy))
        WheelGuard(*self.findChildren(QComboBox), *self.findChildren(Count))

    def _connect(self) -> None:
        self.volumes.changed.connect(self._on_volumes)
        self.preset.activated.connect(self._on_preset)
        self.network.activated.connect(self._on_network)
        self.voxels.activated.connect(self._on_size)
        self.runs.changed.connect(self._describe)
        self.runs.changed.connect(self.runs_changed)
        for choice in (self.preset, self.network, self.device):
            choice.currentIndexChanged.connect(self._describe)
        for signal in (
            self.name.textChanged,
            self.voxels.currentIndexChanged,
            self.device.currentIndexChanged,
            self.batch.valueChanged,
            self.capacity.valueChanged,
            self.most_channels.valueChanged,
        ):
            signal.connect(self.changed)
        for deciding in (
            self.preset.currentIndexChanged,
            self.accumulate.valueChanged,
            self.precision.currentIndexChanged,
            self.steps.valueChanged,
            self.changed,
        ):
            deciding.connect(self._needs_timer.start)

    # Reading

    @property
    def folder(self) -> Path | None:
        """Where the new run would be, None if no place is chosen."""
        runs = self.runs.path
        return None if runs is None else runs / (self.name.text().strip() or self._free_name(runs))

    def plan(self, bank: Path) -> RunPlan:
        """Return the new run on a bank.

        Raises
        ------
        CowganError
            Something is missing or does not go together.
        """
        folder = self.folder
        if folder is None or folder.parent != self.runs.path:
            raise CowganError("Choose a folder for runs, and a name without slashes for this one.")
        size: Size | None = self.voxels.currentData()
        if size is None:
            raise CowganError(_NO_SOURCE)
        plan = RunPlan(
            bank=bank,
            folder=folder,
            preset=cast(Preset, self.preset.chosen),
            network=self.network.chosen,
            size=size,
            capacity=self.capacity.value(),
            most_channels=self.most_channels.value(),
            batch=self.batch.value(),
            accumulate=self.accumulate.value(),
            steps=self.steps.value(),
            save_every=self.save_every.value(),
            sample_every=self.sample_every.value(),
            precision=cast(Precision, self.precision.chosen),
            seed=self.seed.value(),
            device=self.device.chosen,
            init_from=self.init_from.path,
        )
        plan.config()
        return plan

    @property
    def chosen_scaling(self) -> BankScaling:
        """How intensities of NIfTI files become 0 to 1."""
        return cast(BankScaling, self.scaling.chosen)

    @property
    def chosen_place(self) -> Place:
        """Where to train."""
        return cast(Place, self.place.chosen)

    # Reacting

    def refresh_name(self) -> None:
        """Suggest a name that no run has yet."""
        runs = self.runs.path
        self.name.setPlaceholderText("" if runs is None else self._free_name(runs))

    def _free_name(self, runs: Path) -> str:
        stem, number = f"{self.preset.chosen}-{self.network.chosen}".lower(), 1
        while is_there(runs / f"{stem}-{number}"):
            number += 1
        return f"{stem}-{number}"

    def _describe(self) -> None:
        self.about.setText(_PRESETS[self.preset.chosen][1])
        self.refresh_name()
        self.changed.emit()

    def _on_preset(self) -> None:
        usual = preset(self.preset.chosen, NETWORKS[self.network.chosen])
        self.batch.setValue(usual.batch)
        self.accumulate.setValue(usual.accumulate)

    def _on_network(self) -> None:
        network = NETWORKS[self.network.chosen]
        self.capacity.setValue(network.network_capacity)
        self.most_channels.setValue(network.fmap_max)

    def _on_size(self) -> None:
        remember("training/size", self.voxels.currentText())

    # What there is to train on

    def _on_volumes(self) -> None:
        self._show_source(None, _NO_SOURCE if self.volumes.path is None else "Looking into it…")
        if self.volumes.path is not None:
            self._timer.start()

    def _look_into(self) -> None:
        path = self.volumes.path
        if path is None:
            return

        def work(progress: Progress) -> tuple[Path, Source | None, str]:
            try:
                source = look_into(path)
            except Exception as error:  # noqa: BLE001 - every failure must reach the person
                return path, None, sentence(error)
            return path, source, source.sentence

        self._look = Job(work)
        self._look.succeeded.connect(self._on_looked)
        self._look.start()

    def _on_looked(self, found: tuple[Path, Source | None, str]) -> None:
        path, source, told = found
        if path == self.volumes.path:
            self._show_source(source, told)

    def _show_source(self, source: Source | None, told: str) -> None:
        self.source = source
        self.found.setText(breakable(told))
        self._form.setRowVisible(self.scaling, source is not None and not source.is_bank)
        self.voxels.clear()
        if source is not None:
            for depth, edge in source.sizes:
                self.voxels.addItem(_size_told((depth, edge)), (depth, edge))
            usual = _size_told(self._first.size_among(source.sizes))
            self.voxels.setCurrentText(recall_text("training/size", usual))
        self.voxels.setEnabled(source is not None)
        self.changed.emit()

    # What it needs

    def end(self) -> None:
        """Let go of what is being found out; touches no widget, so it may be called last."""
        self.needs.end()

    def showEvent(self, event: QShowEvent) -> None:
        """Find out what the new run needs, which nobody asks while it is not shown."""
        super().showEvent(event)
        self._needs_timer.start()

    def find_needs(self) -> None:
        """Find out in the background what the new run needs, and tell it."""
        if self.source is None:
            self.needs.say("")
            return
        if not self.isVisible():
            return
        try:
            config = self.plan(self.source.path).config()
        except CowganError as error:
            self.needs.say(error.sentence)
            return
        self.needs.ask(config, self.device.chosen)

    # Growing

    def larger_size(self, config: TrainingConfig) -> Size | None:
        """Return the size that a run could grow to next on the chosen volumes, if there is one."""
        sizes = [] if self.source is None else self.source.sizes
        return next((size for size in sizes if size[1] == 2 * config.network.image_size), None)

    def grow_from(self, folder: Path, config: TrainingConfig) -> None:
        """Set up a run that starts from another, twice as fine."""
        size = self.larger_size(config)
        if size is None:
            return
        preset_name = _RECIPES[config.discriminator]
        self.preset.choose(preset_name)
        self.voxels.setCurrentText(_size_told(size))
        self._on_size()
        # So that the channels of the coarse blocks stay as they are.
        self.capacity.setValue(config.network.network_capacity // 2)
        self.most_channels.setValue(config.network.fmap_max)
        self.batch.setValue(config.batch)
        self.accumulate.setValue(config.accumulate)
        self.steps.setValue(config.steps)
        self.init_from.set_path(folder)
        self.name.clear()


def _size_told(size: Size) -> str:
    depth, edge = size
    return f"{depth} × {edge} × {edge}"


def _patience(parent: QWidget, milliseconds: int, then: Callable[[], None]) -> QTimer:
    """Return a timer that calls a function once nobody has started it for a while."""
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(milliseconds)
    timer.timeout.connect(then)
    return timer


def _form() -> QFormLayout:
    form = QFormLayout()
    form.setContentsMargins(0, 0, 0, 0)
    form.setVerticalSpacing(4)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form


def _devices() -> list[tuple[str, str]]:
    devices = [("Automatic", "auto"), ("CPU", "cpu")]
    gpus = range(torch.cuda.device_count())
    devices += [(torch.cuda.get_device_name(index), f"cuda:{index}") for index in gpus]
    if torch.backends.mps.is_available():
        devices.append(("Apple GPU", "mps"))
    return devices
