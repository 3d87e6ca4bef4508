"""Panels that work with PyTorch, whose import takes seconds."""

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
    """A panel that is there at once, and filled when what it works with has been imported.

    Meanwhile it says what it is doing, and the window goes on.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer in whose window the panel is.
    """

    engine: ClassVar[tuple[str, ...]]
    """The modules to import first, in another thread; none of Qt."""

    def __init__(self, viewer: "napari.Viewer") -> None:
        super().__init__(viewer)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        # Otherwise napari adds a stretch, which takes half of the content's room.
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)

    def load(self) -> None:
        """Import what is needed and fill the panel; nothing if another one is in the window."""
        if find_panel(self._viewer, type(self)) is not None:
            # That one takes this one's place.
            return
        if all(name in sys.modules for name in self.engine):
            self._fill()
            return
        # Built at its first use, and not safely by two threads at once; every layer has units.
        pint.get_application_registry().Unit("pixel")
        # No moving bar: painting it takes longer than what it would wait for.
        self._notice = hint(_LOADING)
        self._notice.setMargin(6)
        self._column.insertWidget(0, self._notice, 1, Qt.AlignmentFlag.AlignTop)
        # Kept, since Qt drops the connections of a job that is gone.
        self._job = Job(self._import)
        self._job.succeeded.connect(self._on_imported)
        self._job.failed.connect(self._fail)
        self._job.start()

    def make_content(self) -> QWidget:
        """Return what the panel shows once everything is imported."""
        raise NotImplementedError

    @classmethod
    def _import(cls, _: Progress) -> None:
        for name in cls.engine:
            import_module(name)
        # The first layer in the life of a process costs napari a second of imports and tables; the
        # module is what it turns its camera with.
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
