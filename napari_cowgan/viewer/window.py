"""What readers and samples change in the napari window in front, if there is one."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cowgan.errors import CowganError

if TYPE_CHECKING:
    import napari

    from cowgan.volume import Units

_UNTIL_LAYERS_ARE_THERE_MS = 100


def expect_arteries() -> None:
    """Get ready for a label map of arteries that is about to be added: open the legend."""
    viewer = _viewer_in_front()
    if viewer is not None:
        from napari_cowgan.viewer.legend import show_legend

        show_legend(viewer)
        _overlook_pointer(viewer)


def annotate_canvas() -> None:
    """Have the canvas tell what is synthetic of the layers to come, and which side is where."""
    viewer = _viewer_in_front()
    if viewer is not None:
        from napari_cowgan.viewer.caption import caption
        from napari_cowgan.viewer.orientation import show_orientation

        caption(viewer)
        show_orientation(viewer)


def tell_remarks(name: str, remarks: Sequence[str]) -> None:
    """Tell once what is ambiguous about an image that is about to be added."""
    if remarks:
        from napari.utils.notifications import show_warning

        # napari shows the beginning, until a person unfolds it.
        show_warning(f"{' '.join(remarks)} ({name})")


def tell_problem(error: CowganError, read: "Callable[[Units], list[tuple[Any, ...]]]") -> bool:
    """Tell why an image was not opened, if there is a window.

    Parameters
    ----------
    error : CowganError
        What is told; if other units would give an image the size of a head, they are offered.
    read : callable
        Returns the layers of the image in the units that it is given.

    Returns
    -------
    bool
        Whether it was told.
    """
    viewer = _viewer_in_front()
    if viewer is None:
        return False
    from cowgan.volume import ImpossibleSizeError
    from cowgan.volume.placement import UNIT_NAMES
    from napari_cowgan.widgets.problems import show_problem

    remedy = None
    units = error.likely_units if isinstance(error, ImpossibleSizeError) else None
    if units is not None:
        remedy = (f"Open in {UNIT_NAMES[units]}", lambda: _add(viewer, read(units)))
    show_problem(viewer.window._qt_window, error, remedy)
    return True


def _add(viewer: "napari.Viewer", layers: list[tuple[Any, ...]]) -> None:
    from napari.layers import Layer

    for layer in layers:
        if layer[0] is not None:
            viewer.add_layer(Layer.create(*layer))


def look_in_3d() -> None:
    """Show the layers that are about to be added in 3D, as an axial projection."""
    viewer = _viewer_in_front()
    if viewer is not None:
        from qtpy.QtCore import QTimer

        from napari_cowgan.viewer.camera import look_from

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
