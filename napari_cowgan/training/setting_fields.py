"""Fields of a form for settings of a run, with the bounds and tooltips that the settings carry."""

from qtpy.QtWidgets import QComboBox, QFormLayout, QWidget

from cowgan.networks import NetworkConfig
from cowgan.settings import setting_fields
from cowgan.training.config import TrainingConfig
from napari_cowgan.training.volume_source import VolumeSize, size_text
from napari_cowgan.widgets.fields import Choice, Count
from napari_cowgan.widgets.remembered import recall_text, remember

_SIZE_KEY = "training/size"
_LARGEST_COUNT = 2**31 - 1
_PRECISIONS = {
    "auto": "Automatic",
    "fp32": "32 bits (fp32)",
    "bf16": "16 bits (bf16)",
    "fp16": "16 bits, CUDA only (fp16)",
}
_PLACES = (("A separate process", "process"), ("This process", "thread"))


def count_field(key: str, name: str, value: int, config: type = TrainingConfig) -> Count:
    """Return a field for a whole-number setting.

    Parameters
    ----------
    key : str
        Key under which the number is stored.
    name : str
        Field of `config`.
    value : int
        Initial value.
    config : type
        The dataclass that has the setting.
    """
    setting = setting_fields(config)[name].setting
    highest = int(min(setting.high, _LARGEST_COUNT))
    return Count(key, int(setting.low), highest, value, setting.text)


def form_layout() -> QFormLayout:
    """Return an empty form whose fields take the width there is."""
    form = QFormLayout()
    form.setContentsMargins(0, 0, 0, 0)
    form.setVerticalSpacing(4)
    form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
    return form


class SizeChoice(QComboBox):
    """A choice among the sizes that a network can have on the chosen volumes."""

    def __init__(self) -> None:
        super().__init__()
        self.setToolTip(
            "Size of the generated volumes; a coarse network learns quickly and can be grown later"
        )
        self.activated.connect(self._remember)

    @property
    def size_chosen(self) -> VolumeSize | None:
        """Slices and columns; None while no volumes are known."""
        size: VolumeSize | None = self.currentData()
        return size

    def show_sizes(self, sizes: list[VolumeSize], usual: VolumeSize | None) -> None:
        """Offer sizes, and choose the last one chosen by the user or else the usual one."""
        self.clear()
        for size in sizes:
            self.addItem(size_text(size), size)
        if usual is not None:
            self.setCurrentText(recall_text(_SIZE_KEY, size_text(usual)))
        self.setEnabled(bool(sizes))

    def choose(self, size: VolumeSize) -> None:
        """Choose a size, and remember it."""
        self.setCurrentText(size_text(size))
        self._remember()

    def _remember(self) -> None:
        remember(_SIZE_KEY, self.currentText())


class AdvancedFields(QWidget):
    """Settings that rarely need to be changed.

    Parameters
    ----------
    accumulate, save_every, sample_every, capacity, most_channels : int
        Initial values.
    """

    def __init__(
        self, accumulate: int, save_every: int, sample_every: int, capacity: int, most_channels: int
    ) -> None:
        super().__init__()
        self.accumulate = count_field("training/accumulate", "accumulate", accumulate)
        self.save_every = count_field("training/save_every", "save_every", save_every)
        self.sample_every = count_field("training/sample_every", "sample_every", sample_every)
        precision = setting_fields(TrainingConfig)["precision"]
        self.precision = Choice(
            "training/training_precision",
            [(_PRECISIONS[value], value) for value in precision.choices],
            precision.setting.text,
        )
        self.seed = count_field("training/training_seed", "seed", 0)
        self.capacity = count_field(
            "training/capacity", "network_capacity", capacity, NetworkConfig
        )
        self.most_channels = count_field(
            "training/most_channels", "fmap_max", most_channels, NetworkConfig
        )
        self.place = Choice(
            "training/place",
            _PLACES,
            "A separate process cannot crash napari and may continue without it",
        )
        for field in (self.save_every, self.sample_every):
            field.setSuffix(" steps")
        self.most_channels.setSuffix(" channels")
        self._form = form = form_layout()
        self.setLayout(form)
        form.addRow("Passes per step", self.accumulate)
        form.addRow("Save every", self.save_every)
        form.addRow("Picture every", self.sample_every)
        form.addRow("Precision", self.precision)
        form.addRow("Seed", self.seed)
        form.addRow("Channels", self.capacity)
        form.addRow("At most", self.most_channels)
        form.addRow("Train in", self.place)

    def show_all(self, shown: bool) -> None:
        """Show all settings, or only those that do not depend on what is trained."""
        for field in (
            *(self.accumulate, self.save_every, self.sample_every, self.precision, self.seed),
            *(self.capacity, self.most_channels),
        ):
            self._form.setRowVisible(field, shown)
