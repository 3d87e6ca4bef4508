"""What readers and samples change in the napari window in front, if there is one."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import napari

_UNTIL_LAYERS_ARE_THERE_MS = 100


def expect_arteries() -> None:
    """Get ready for a label map of arteries that is about to be added: open the legend."""
    viewer = _viewer_in_front()
    if viewer is not None:
        from napari_cowgan.legend import show_legend

        show_legend(viewer)
        _overlook_pointer(viewer)


def caption_synthetic() -> None:
    """Have the canvas say what is synthetic of the layers that are about to be added."""
    viewer = _viewer_in_front()
    if viewer is not None:
        from napari_cowgan.viewer.caption import caption

        caption(viewer)


def look_in_3d() -> None:
    """Show the layers that are about to be added in 3D, as an axial projection."""
    viewer = _viewer_in_front()
    if viewer is not None:
        from qtpy.QtCore import QTimer

        from napari_cowgan.explorer.camera import look_from

        QTimer.singleShot(0, lambda: look_from(viewer, "axial"))


def _overlook_pointer(viewer: "napari.Viewer") -> None:
    """Keep napari from looking up what is under the pointer until layers have been added.

    In 3D, napari 0.9 fails to name the label under a pointer that has not moved before.
    """
    if viewer.mouse_over_canvas:
        from qtpy.QtCore import QTimer

        viewer.mouse_over_canvas = False
        QTimer.singleShot(
            _UNTIL_LAYERS_ARE_THERE_MS, lambda: setattr(viewer, "mouse_over_canvas", True)
        )


def _viewer_in_front() -> "napari.Viewer | None":
    import napari

    return napari.current_viewer()
