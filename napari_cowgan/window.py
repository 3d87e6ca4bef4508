"""What readers and samples change in the napari window in front, if there is one."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import napari

_AFTER_STATUS_BAR_MS = 100


def open_legend() -> None:
    """Show which colour is which artery."""
    viewer = _viewer_in_front()
    if viewer is not None:
        from napari_cowgan.legend import show_legend

        show_legend(viewer)


def look_in_3d() -> None:
    """Show the layers that are about to be added in 3D, as an axial projection.

    It happens a moment after they are there: napari 0.9 looks up what is under the pointer
    when a labels layer is added, which fails in 3D, with an error message, as long as the
    pointer has not moved.
    """
    viewer = _viewer_in_front()
    if viewer is not None:
        from qtpy.QtCore import QTimer

        from napari_cowgan.explorer.camera import look_from

        QTimer.singleShot(_AFTER_STATUS_BAR_MS, lambda: look_from(viewer, "axial"))


def _viewer_in_front() -> "napari.Viewer | None":
    import napari

    return napari.current_viewer()
