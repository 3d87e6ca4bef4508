"""The latent explorer panel, and the ways to open it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import napari

    from napari_cowgan.explorer.panel import LatentExplorer

__all__ = [
    "LatentExplorer",
    "launch",
    "open_checkpoint_in_current_viewer",
    "open_session_in_current_viewer",
    "show_explorer",
]

_PLUGIN, _WIDGET = "napari-cowgan", "Latent explorer"


def __getattr__(name: str) -> Any:
    # The panel pulls in Qt and torch, which naming this package must not do.
    if name == "LatentExplorer":
        from napari_cowgan.explorer.panel import LatentExplorer

        return LatentExplorer
    raise AttributeError(name)


def show_explorer(viewer: "napari.Viewer", tabify: bool = False) -> "LatentExplorer":
    """Return the explorer of a viewer, opening it if needed, in front of other panels or below."""
    _, widget = viewer.window.add_plugin_dock_widget(_PLUGIN, _WIDGET, tabify=tabify)
    return cast("LatentExplorer", widget)


def open_checkpoint_in_current_viewer(path: str) -> None:
    """Open a checkpoint in the explorer of the viewer in front."""
    show_explorer(_current_viewer()).open_checkpoint(path)


def open_session_in_current_viewer(path: str) -> None:
    """Open a session file in the explorer of the viewer in front."""
    show_explorer(_current_viewer()).open_session(path)


def launch(checkpoint: Path | None = None, depth: int | None = None) -> None:
    """Open napari with the explorer and wait until the person closes it.

    Parameters
    ----------
    checkpoint : Path, optional
        Model to open; by default the last one, else the one that comes with the program.
    depth : int, optional
        Number of slices, for checkpoints that do not store it.
    """
    import napari

    viewer = napari.Viewer()
    explorer = show_explorer(viewer)
    if checkpoint is not None:
        explorer.open_checkpoint(checkpoint, depth)
    napari.run()


def _current_viewer() -> "napari.Viewer":
    import napari

    return napari.current_viewer() or napari.Viewer()
