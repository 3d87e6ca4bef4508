"""Data panel: prepares scans as training data."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import napari

    from napari_cowgan.data.panel import DataPanel

__all__ = ["DataPanel", "show_data_panel"]


def __getattr__(name: str) -> Any:
    # Importing this package must not load Qt.
    if name == "DataPanel":
        from napari_cowgan.data.panel import DataPanel

        return DataPanel
    raise AttributeError(name)


def show_data_panel(viewer: "napari.Viewer") -> "DataPanel":
    """Return the data panel of a viewer, opening it in front of other panels if needed."""
    from napari_cowgan.data.panel import DataPanel
    from napari_cowgan.widgets.docked import show_panel

    return show_panel(viewer, DataPanel)
