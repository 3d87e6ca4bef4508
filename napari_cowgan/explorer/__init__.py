"""The latent explorer panel and the functions that open it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import napari

    from napari_cowgan.explorer.dock import ExplorerPanel

__all__ = [
    "ExplorerPanel",
    "launch",
    "open_checkpoint_in_current_viewer",
    "open_movie_in_current_viewer",
    "open_session_in_current_viewer",
    "show_explorer",
]


def __getattr__(name: str) -> Any:
    # The panel imports Qt; importing this package must not.
    if name == "ExplorerPanel":
        from napari_cowgan.explorer.dock import ExplorerPanel

        return ExplorerPanel
    raise AttributeError(name)


def show_explorer(viewer: "napari.Viewer") -> "ExplorerPanel":
    """Open the explorer panel of a viewer, in front of other panels, and return it."""
    from napari_cowgan.explorer.dock import ExplorerPanel
    from napari_cowgan.widgets.docked import show_panel

    return show_panel(viewer, ExplorerPanel)


def open_checkpoint_in_current_viewer(path: str) -> None:
    """Open a checkpoint in the explorer of the current viewer."""
    show_explorer(_current_viewer()).open_checkpoint(path)


def open_session_in_current_viewer(path: str) -> None:
    """Open a session file in the explorer of the current viewer."""
    show_explorer(_current_viewer()).open_session(path)


def open_movie_in_current_viewer(path: str) -> None:
    """Open a file of key frames in the explorer of the current viewer."""
    show_explorer(_current_viewer()).open_movie(path)


def launch(checkpoint: Path | None = None, depth: int | None = None) -> None:
    """Open napari with the explorer and block until the user closes it.

    Parameters
    ----------
    checkpoint : Path, optional
        Model to open; by default the last one used, else the bundled model.
    depth : int, optional
        Number of slices, for checkpoints that do not store it.
    """
    import napari

    viewer = napari.Viewer()
    panel = show_explorer(viewer)
    if checkpoint is not None:
        panel.open_checkpoint(checkpoint, depth)
    napari.run()


def _current_viewer() -> "napari.Viewer":
    import napari

    return napari.current_viewer() or napari.Viewer()
