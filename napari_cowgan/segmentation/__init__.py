"""Segmentation panel: finds and measures the arteries in a scan, which the user may correct."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import napari

    from napari_cowgan.segmentation.panel import SegmentationPanel

__all__ = ["SegmentationPanel", "show_segmentation_panel"]


def __getattr__(name: str) -> Any:
    # Importing this package must not load Qt.
    if name == "SegmentationPanel":
        from napari_cowgan.segmentation.panel import SegmentationPanel

        return SegmentationPanel
    raise AttributeError(name)


def show_segmentation_panel(viewer: "napari.Viewer") -> "SegmentationPanel":
    """Return the segmentation panel of a viewer, opening it in front of other panels if needed."""
    from napari_cowgan.segmentation.panel import SegmentationPanel
    from napari_cowgan.widgets.docked import show_panel

    return show_panel(viewer, SegmentationPanel)
