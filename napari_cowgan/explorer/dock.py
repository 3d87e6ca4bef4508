"""The dock widget that hosts the latent explorer."""

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
    """A dock widget that opens at once and gets the explorer when PyTorch has been loaded.

    Parameters
    ----------
    napari_viewer : napari.Viewer
        The viewer that shows the volume; napari passes it by this name.

    Attributes
    ----------
    explorer : LatentExplorer or None
        The explorer; None while PyTorch is being loaded.
    """

    dock_title = "Latent explorer"
    engine = (
        "cowgan.checkpoint",
        "cowgan.synthesis",
        "cowgan.latent",
        "cowgan.latent.movie_export",
    )

    def __init__(self, napari_viewer: "napari.Viewer") -> None:
        super().__init__(napari_viewer)
        caption(napari_viewer)
        self.explorer: LatentExplorer | None = None
        self._waiting: list[Callable[[LatentExplorer], None]] = []
        self.load()

    def open_checkpoint(self, path: str | Path, depth: int | None = None) -> None:
        """Open a model in the background; a failure is shown and changes nothing."""
        self.when_loaded(lambda explorer: explorer.open_checkpoint(path, depth))

    def open_session(self, path: str | Path) -> None:
        """Open a session file and the model it was made with."""
        self.when_loaded(lambda explorer: explorer.open_session(path))

    def open_movie(self, path: str | Path) -> None:
        """Open a file of key frames of a movie."""
        self.when_loaded(lambda explorer: explorer.open_movie(path))

    def when_loaded(self, action: Callable[["LatentExplorer"], None]) -> None:
        """Call `action` with the explorer, once it is loaded."""
        if self.explorer is None:
            self._waiting.append(action)
        else:
            action(self.explorer)

    def leave(self) -> None:
        """Hand over to the next explorer in this window."""
        if self.explorer is not None:
            self.explorer.leave()

    def make_content(self) -> QWidget:
        """Return the explorer, after running the actions that waited for it."""
        from napari_cowgan.explorer.panel import LatentExplorer

        self.explorer = LatentExplorer(self._viewer)
        for action in self._waiting:
            action(self.explorer)
        self._waiting.clear()
        return self.explorer
