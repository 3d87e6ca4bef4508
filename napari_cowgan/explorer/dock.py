"""The explorer's place in napari's window."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from qtpy.QtWidgets import QWidget

from napari_cowgan.viewer.caption import caption
from napari_cowgan.viewer.loading import LoadingPanel

if TYPE_CHECKING:
    import napari

    from napari_cowgan.explorer.panel import LatentExplorer


class ExplorerPanel(LoadingPanel):
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
    engine = ("cowgan.checkpoint", "cowgan.synthesis", "cowgan.latent")

    def __init__(self, napari_viewer: "napari.Viewer") -> None:
        super().__init__(napari_viewer)
        caption(napari_viewer)
        self.explorer: LatentExplorer | None = None
        self._waiting: list[Callable[[LatentExplorer], None]] = []
        self.load()

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

    def make_content(self) -> QWidget:
        """Return the explorer, after what has been waiting for it."""
        from napari_cowgan.explorer.panel import LatentExplorer

        self.explorer = LatentExplorer(self._viewer)
        for do in self._waiting:
            do(self.explorer)
        self._waiting.clear()
        return self.explorer
