"""The explorer's place in napari's window."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout

from cowgan.progress import Progress
from cowgan.volume import Volume, default_affine
from napari_cowgan.controls import hint
from napari_cowgan.display import volume_to_layer
from napari_cowgan.docked import DockedPanel, find_panel
from napari_cowgan.jobs import Job
from napari_cowgan.problems import sentence, show_problem
from napari_cowgan.viewer.caption import caption

if TYPE_CHECKING:
    import napari

    from napari_cowgan.explorer.panel import LatentExplorer

_ENGINE = ("cowgan.checkpoint", "cowgan.synthesis", "cowgan.latent")
"""What takes seconds to import, since PyTorch comes with it."""
_LOADING = "Loading PyTorch, which computes the volumes. This takes a few seconds the first time."


class ExplorerPanel(DockedPanel):
    """The dock's content: there at once, and filled with the explorer when PyTorch is loaded.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        Where the volume is shown; napari fills in the argument of this name.

    Attributes
    ----------
    explorer : LatentExplorer or None
        The explorer; None while PyTorch is being loaded.
    """

    dock_title = "Latent explorer"

    def __init__(self, napari_viewer: "napari.Viewer") -> None:
        super().__init__(napari_viewer)
        caption(napari_viewer)
        self.explorer: LatentExplorer | None = None
        self.setMinimumWidth(280)
        self._waiting: list[Callable[[LatentExplorer], None]] = []
        # Otherwise napari adds a stretch, which takes half of the explorer's room.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        # Another one in the window takes this one's place.
        if find_panel(napari_viewer, ExplorerPanel) is None:
            self._load()

    def open_checkpoint(self, path: str | Path, depth: int | None = None) -> None:
        """Open a model in the background; a failure is told and changes nothing."""
        self.when_loaded(lambda explorer: explorer.open_checkpoint(path, depth))

    def open_session(self, path: str | Path) -> None:
        """Open a session file, and the model it was made with."""
        self.when_loaded(lambda explorer: explorer.open_session(path))

    def when_loaded(self, do: Callable[["LatentExplorer"], None]) -> None:
        """Do something with the explorer, as soon as it is there."""
        if self.explorer is None:
            self._waiting.append(do)
        else:
            do(self.explorer)

    def leave(self) -> None:
        """Leave to the next explorer in this window what it begins with."""
        if self.explorer is not None:
            self.explorer.leave()

    def _load(self) -> None:
        # No moving bar: painting it takes longer than what it would wait for.
        self._notice = hint(_LOADING)
        self._notice.setMargin(6)
        self._column.addWidget(self._notice, 0, Qt.AlignmentFlag.AlignTop)
        # Kept, since Qt drops the connections of a job that is gone.
        self._job = Job(_load_what_is_slow)
        self._job.succeeded.connect(self._fill)
        self._job.failed.connect(self._fail)
        self._job.start()

    def _fill(self) -> None:
        from napari_cowgan.explorer.panel import LatentExplorer

        self.explorer = LatentExplorer(self._viewer)
        self._notice.deleteLater()
        self._column.addWidget(self.explorer)
        for do in self._waiting:
            do(self.explorer)
        self._waiting.clear()

    def _fail(self, error: BaseException) -> None:
        self._notice.setText(sentence(error))
        show_problem(self, error)


def _load_what_is_slow(_: Progress) -> None:
    for name in _ENGINE:
        import_module(name)
    # The first layer in the life of a process costs napari half a second of imports and tables.
    data, options, _kind = volume_to_layer(
        Volume(np.zeros((2, 2, 2), np.float32), default_affine((2, 2, 2)))
    )
    Image(data, **options)
