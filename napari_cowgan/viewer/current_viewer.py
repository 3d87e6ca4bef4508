"""Changes that file readers and sample data make to the current viewer, if there is one."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from cowgan.errors import CowganError

if TYPE_CHECKING:
    import napari
    from napari.components import ViewerModel

    from cowgan.volume import Units

_UNTIL_LAYERS_ARE_ADDED_MS = 100


def window_is_gone(viewer: "ViewerModel") -> bool:
    """Return whether the window of a viewer was closed; in a notebook, layers may outlive it."""
    window = getattr(without_proxy(viewer), "window", None)
    if window is None:
        return False
    try:
        window._qt_window.isVisible()
    except (AttributeError, RuntimeError):
        return True
    return False


def without_proxy(viewer: "napari.Viewer") -> "napari.Viewer":
    """Return a viewer itself; napari hands plugins a short-lived proxy of it."""
    return getattr(viewer, "__wrapped__", viewer)


def expect_arteries() -> None:
    """Open the legend for an artery label map that is about to be added."""
    viewer = _current_viewer()
    if viewer is not None:
        from napari_cowgan.viewer.legend import show_legend

        show_legend(viewer)
        ignore_pointer(viewer)


def annotate_canvas() -> None:
    """Mark synthetic layers and the patient's sides on the canvas from now on."""
    viewer = _current_viewer()
    if viewer is not None:
        from napari_cowgan.viewer.caption import caption
        from napari_cowgan.viewer.orientation_letters import show_orientation

        caption(viewer)
        show_orientation(viewer)


def show_remarks(name: str, remarks: Sequence[str]) -> None:
    """Warn once about ambiguities of an image that is about to be added."""
    if remarks:
        from napari.utils.notifications import show_warning

        # napari shows only the beginning until the user expands it.
        show_warning(f"{' '.join(remarks)} ({name})")


def show_reading_problem(
    error: CowganError, read: "Callable[[Units], list[tuple[Any, ...]]]"
) -> bool:
    """Show why an image could not be opened, if there is a window.

    Parameters
    ----------
    error : CowganError
        The reason; if other units would give the image the size of a head, they are offered.
    read : callable
        Returns the layers of the image, read in the given units.

    Returns
    -------
    bool
        Whether there was a window to show it in.
    """
    viewer = _current_viewer()
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
    viewer = _current_viewer()
    if viewer is not None:
        from qtpy.QtCore import QTimer

        from napari_cowgan.viewer.camera import look_from

        QTimer.singleShot(0, lambda: look_from(viewer, "axial"))


def ignore_pointer(viewer: "napari.Viewer") -> None:
    """Keep napari from looking up the label under the pointer until layers have been added.

    In 3D, napari 0.9 fails to name the label under a pointer that has not moved before.
    """
    if viewer.mouse_over_canvas:
        from qtpy.QtCore import QTimer

        viewer.mouse_over_canvas = False
        QTimer.singleShot(
            _UNTIL_LAYERS_ARE_ADDED_MS, lambda: setattr(viewer, "mouse_over_canvas", True)
        )


def _current_viewer() -> "napari.Viewer | None":
    import napari

    return napari.current_viewer()
