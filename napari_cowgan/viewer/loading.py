"""Panels that need PyTorch, whose import takes seconds."""

# pint is only partly typed.
# mypy: allow-untyped-calls

import sys
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pint
from napari.layers import Image
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from cowgan.progress import Progress
from cowgan.volume import Volume, default_affine
from napari_cowgan.viewer.display import volume_to_layer
from napari_cowgan.widgets.controls import hint
from napari_cowgan.widgets.docked import DockedPanel, find_panel
from napari_cowgan.widgets.jobs import Job
from napari_cowgan.widgets.problems import sentence, show_problem

if TYPE_CHECKING:
    import napari

_LOADING = "Loading PyTorch, which computes the volumes. This takes a few seconds the first time."


class LoadingPanel(DockedPanel):
    """A panel that opens at once and is filled when its engine has been imported.

    Meanwhile it shows a notice, and the window stays responsive.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer whose window holds the panel.
    """

    engine: ClassVar[tuple[str, ...]]
    """Modules to import first, in a thread; none may import Qt."""

    def __init__(self, viewer: "napari.Viewer") -> None:
        super().__init__(viewer)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        # Otherwise napari adds a stretch that takes half of the room.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)

    def load(self) -> None:
        """Import the engine and fill the panel, unless the window already has such a panel."""
        if find_panel(self._viewer, type(self)) is not None:
            # This panel is about to be removed: see `DockedPanel`.
            return
        if all(name in sys.modules for name in self.engine):
            self._fill()
            return
        # Every layer has units, and pint's registry must not be initialised by two threads at once.
        pint.get_application_registry().Unit("pixel")
        # No moving bar: painting it would slow the import down.
        self._notice = hint(_LOADING)
        self._notice.setMargin(6)
        self._column.insertWidget(0, self._notice, 1, Qt.AlignmentFlag.AlignTop)
        # Kept, because Qt drops the connections of a deleted job.
        self._job = Job(self._import)
        self._job.succeeded.connect(self._on_imported)
        self._job.failed.connect(self._fail)
        self._job.start()

    def make_content(self) -> QWidget:
        """Return the panel's content; called once the engine has been imported."""
        raise NotImplementedError

    @classmethod
    def _import(cls, _: Progress) -> None:
        for name in cls.engine:
            import_module(name)
        # The first layer of a process costs napari a second of imports and tables. The module
        # below is for its camera.
        import_module("scipy.spatial.transform")
        data, options, _kind = volume_to_layer(
            Volume(np.zeros((2, 2, 2), np.float32), default_affine((2, 2, 2)))
        )
        Image(data, **options)

    def _on_imported(self) -> None:
        self._notice.deleteLater()
        self._fill()

    def _fill(self) -> None:
        self._column.insertWidget(0, self.make_content(), 1)

    def _fail(self, error: BaseException) -> None:
        self._notice.setText(sentence(error))
        show_problem(self, error)
