"""Control group for the settings of a new run, which are remembered."""

from pathlib import Path
from typing import cast

import torch
from qtpy.QtCore import Signal
from qtpy.QtGui import QShowEvent
from qtpy.QtWidgets import QComboBox, QVBoxLayout, QWidget

from cowgan.errors import CowganError
from cowgan.networks import PRESETS as NETWORKS
from cowgan.training.config import Architecture, Preset, TrainingConfig, TrainingPrecision, preset
from cowgan.training.config_files import RunConfig
from napari_cowgan.training.delay import delayed
from napari_cowgan.training.estimate_process import PlannedRun
from napari_cowgan.training.folder_fields import FolderFields
from napari_cowgan.training.needs import Needs
from napari_cowgan.training.new_segmentation import NewSegmentation
from napari_cowgan.training.run_settings import ON_CPU, ON_GPU, NewRun, Place, run_config
from napari_cowgan.training.segmentation_fields import NO_CASES, SegmentationFields
from napari_cowgan.training.setting_fields import (
    AdvancedFields,
    SizeChoice,
    count_field,
    form_layout,
)
from napari_cowgan.training.source_fields import NO_SOURCE, SourceFields
from napari_cowgan.training.volume_source import VolumeSize
from napari_cowgan.widgets.controls import Section, hint, row, text_button
from napari_cowgan.widgets.fields import Choice, Count, PathField
from napari_cowgan.widgets.guards import WheelGuard

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
_MODELS = "Models (*.safetensors *.pt)"
_ESTIMATE_AFTER_MS = 600


class NewRunGroup(QWidget):
    """The settings of a new run.

    Signals
    -------
    changed
        A setting has changed.
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.kind = Choice(
            "training/kind",
            [("Generator", "generator"), ("Segmentation", "segmentation")],
            "What the run trains: a GAN that generates volumes, or a network that finds arteries",
        )
        self._initial = ON_GPU if torch.cuda.is_available() else ON_CPU
        self.data = SourceFields(self)
        self.segmentation = SegmentationFields(self)
        self._init_network()
        self._init_run()
        self.needs = Needs()
        self.start = text_button("Start", "Start this run")
        self.copy = text_button(
            "Copy command", "Copy the command that starts this run in a terminal or on a server"
        )
        self._needs_timer = delayed(self, _ESTIMATE_AFTER_MS, self.find_needs)
        self._build()
        self._connect()
        self.data.refresh()
        self._on_kind()

    # Construction

    def _init_network(self) -> None:
        recipes = [(_PRESETS[key][0], key) for key in self._initial.presets]
        self.preset = Choice(
            "training/preset", recipes, "Recipe: losses, learning rates and discriminator"
        )
        self.about = hint("")
        self.network = Choice(
            "training/network",
            [(name, name) for name in NETWORKS],
            "Architecture; larger ones need more memory and time",
        )
        self.voxels = SizeChoice()
        network = NETWORKS[self.network.chosen]
        usual = preset(self.preset.chosen, network)
        self.batch = count_field("training/batch", "batch", usual.batch)
        self.steps = count_field("training/steps", "steps", self._initial.steps)
        self.advanced = AdvancedFields(
            usual.accumulate,
            self._initial.save_every,
            self._initial.sample_every,
            self._initial.capacity or network.network_capacity,
            network.fmap_max,
        )

    def _init_run(self) -> None:
        self.device = Choice(
            "training/training_device",
            _devices(),
            "Device to train on; automatic uses a GPU if there is one",
        )
        self.init_from = PathField(
            "training/init_from",
            "Model or run to grow from",
            "Optional: a model of smaller volumes, or the folder of a run, whose weights the new "
            "run starts from",
            _MODELS,
        )
        self.folders = FolderFields(self)

    def _build(self) -> None:
        self._form = form = form_layout()
        form.addRow("Train", self.kind)
        self.segmentation.add_to(form)
        self.data.add_to(form)
        form.addRow("Recipe", self.preset)
        form.addRow(self.about)
        form.addRow("Network", self.network)
        form.addRow("Size (z, x, y)", self.voxels)
        form.addRow("Batch", self.batch)
        form.addRow("Steps", self.steps)
        form.addRow("Device", self.device)
        form.addRow("Grow from", self.init_from)
        self.folders.add_to(form)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        layout.addLayout(form)
        layout.addWidget(Section("Advanced", self.advanced, expanded=False))
        layout.addWidget(self.needs)
        layout.addLayout(row(self.start, self.copy))
        WheelGuard(*self.findChildren(QComboBox), *self.findChildren(Count))

    def _connect(self) -> None:
        self.data.changed.connect(self._on_source)
        self.preset.activated.connect(self._on_preset)
        self.network.activated.connect(self._on_network)
        self.kind.currentIndexChanged.connect(self._on_kind)
        self.segmentation.changed.connect(self._on_choice)
        for choice in (self.preset, self.network, self.device):
            choice.currentIndexChanged.connect(self._on_choice)
        for signal in (
            self.folders.name_changed,
            self.folders.runs_changed,
            self.voxels.currentIndexChanged,
            self.batch.valueChanged,
            self.advanced.capacity.valueChanged,
            self.advanced.most_channels.valueChanged,
        ):
            signal.connect(self.changed)
        for signal in (
            self.preset.currentIndexChanged,
            self.advanced.accumulate.valueChanged,
            self.advanced.precision.currentIndexChanged,
            self.steps.valueChanged,
            self.changed,
        ):
            signal.connect(self._needs_timer.start)

    # Reading

    @property
    def ready(self) -> bool:
        """Whether there is something to train on."""
        return (self.data.source if self.trains_generator else self.segmentation.source) is not None

    @property
    def trains_generator(self) -> bool:
        """Whether the new run trains a generator, rather than a segmentation network."""
        return self.kind.chosen == "generator"

    def config(self) -> TrainingConfig:
        """Return the settings of a generator.

        Raises
        ------
        CowganError
            There is no data yet, or the settings contradict each other.
        """
        size = self.voxels.size_chosen
        if size is None:
            raise CowganError(NO_SOURCE)
        advanced = self.advanced
        return run_config(
            cast(Preset, self.preset.chosen),
            self.network.chosen,
            size,
            advanced.capacity.value(),
            advanced.most_channels.value(),
            batch=self.batch.value(),
            accumulate=advanced.accumulate.value(),
            steps=self.steps.value(),
            save_every=advanced.save_every.value(),
            sample_every=advanced.sample_every.value(),
            precision=cast(TrainingPrecision, advanced.precision.chosen),
            seed=advanced.seed.value(),
        )

    def new_run(self, bank: Path) -> NewRun:
        """Return the new run of a generator on a bank.

        Raises
        ------
        CowganError
            A setting is missing, or the settings contradict each other.
        """
        return NewRun(
            bank,
            self.folders.folder,
            cast(Preset, self.preset.chosen),
            self.network.chosen,
            self.config(),
            self.device.chosen,
            self.init_from.path,
        )

    def new_segmentation(self) -> NewSegmentation:
        """Return the new run of a segmentation network.

        Raises
        ------
        CowganError
            A setting is missing.
        """
        fields = self.segmentation
        if fields.source is None:
            raise CowganError(NO_CASES)
        return NewSegmentation(
            fields.source.cases,
            self.folders.folder,
            fields.network.chosen,
            fields.config(),
            self.device.chosen,
        )

    @property
    def chosen_place(self) -> Place:
        """Where to train."""
        return cast(Place, self.advanced.place.chosen)

    # Reacting

    def _on_choice(self) -> None:
        self.about.setText(_PRESETS[self.preset.chosen][1])
        stem = (
            f"{self.preset.chosen}-{self.network.chosen}"
            if self.trains_generator
            else f"segmentation-{self.segmentation.network.chosen}"
        )
        self.folders.suggest_name(stem.lower())
        self.changed.emit()

    def _on_kind(self) -> None:
        generator = self.trains_generator
        self.data.set_visible(generator)
        self.segmentation.set_visible(not generator)
        for field in (
            *(self.preset, self.about, self.network, self.voxels, self.batch, self.steps),
            self.init_from,
        ):
            self._form.setRowVisible(field, generator)
        self.advanced.show_all(generator)
        self._on_choice()

    def _on_preset(self) -> None:
        usual = preset(self.preset.chosen, NETWORKS[self.network.chosen])
        self.batch.setValue(usual.batch)
        self.advanced.accumulate.setValue(usual.accumulate)

    def _on_network(self) -> None:
        network = NETWORKS[self.network.chosen]
        self.advanced.capacity.setValue(network.network_capacity)
        self.advanced.most_channels.setValue(network.fmap_max)

    def _on_source(self) -> None:
        sizes = [] if self.data.source is None else self.data.source.sizes
        self.voxels.show_sizes(sizes, self._initial.size_among(sizes) if sizes else None)
        self.changed.emit()

    # Memory and time

    def end(self) -> None:
        """Cancel the estimate; touches no widget, so it may be called after Qt deleted them."""
        self.needs.end()

    def showEvent(self, event: QShowEvent) -> None:
        """Estimate what the new run needs, which is not done while the group is hidden."""
        super().showEvent(event)
        self._needs_timer.start()

    def find_needs(self) -> None:
        """Estimate the memory and time of the new run in the background, and show them."""
        if not self.ready:
            self.needs.show_message("")
            return
        if not self.isVisible():
            return
        try:
            run = self._planned_run()
        except CowganError as error:
            self.needs.show_message(error.sentence)
            return
        self.needs.estimate(run)

    def _planned_run(self) -> PlannedRun:
        if self.trains_generator:
            return PlannedRun(self.config(), self.device.chosen)
        fields = self.segmentation
        if fields.source is None:
            raise CowganError(NO_CASES)
        return PlannedRun(fields.config(), self.device.chosen, fields.source.scheme)

    # Choosing

    def take(self, folder: Path) -> None:
        """Choose a folder of what the new run learns from."""
        if self.trains_generator:
            self.data.volumes.set_path(folder)
        else:
            self.segmentation.take(folder)

    def can_grow(self, config: RunConfig) -> bool:
        """Return whether a run of these settings can grow on the chosen volumes."""
        return isinstance(config, TrainingConfig) and self._larger_size(config) is not None

    def _larger_size(self, config: TrainingConfig) -> VolumeSize | None:
        """Return the next size that a run can grow to on the chosen volumes, if there is one."""
        sizes = [] if self.data.source is None else self.data.source.sizes
        return next((size for size in sizes if size[1] == 2 * config.network.image_size), None)

    def grow_from(self, folder: Path, config: TrainingConfig) -> None:
        """Fill in the settings of a run that starts from another and is twice as fine."""
        size = self._larger_size(config)
        if size is None:
            return
        self.kind.choose("generator")
        self.preset.choose(_RECIPES[config.discriminator])
        self.voxels.choose(size)
        # The channels of the coarse blocks stay as they are.
        self.advanced.capacity.setValue(config.network.network_capacity // 2)
        self.advanced.most_channels.setValue(config.network.fmap_max)
        self.batch.setValue(config.batch)
        self.advanced.accumulate.setValue(config.accumulate)
        self.steps.setValue(config.steps)
        self.init_from.set_path(folder)
        self.folders.name.clear()


def _devices() -> list[tuple[str, str]]:
    devices = [("Automatic", "auto"), ("CPU", "cpu")]
    gpus = range(torch.cuda.device_count())
    devices += [(torch.cuda.get_device_name(index), f"cuda:{index}") for index in gpus]
    if torch.backends.mps.is_available():
        devices.append(("Apple GPU", "mps"))
    return devices
