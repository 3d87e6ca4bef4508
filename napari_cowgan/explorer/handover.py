"""Handover from a closed explorer to the next one in the same window."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, WeakKeyDictionary, ref

from napari_cowgan.explorer.saved_session import ExplorerSession
from napari_cowgan.viewer.current_viewer import without_proxy

if TYPE_CHECKING:
    import napari
    from napari.layers import Image


@dataclass(frozen=True)
class Handover:
    """State that a closed explorer leaves in its window.

    Attributes
    ----------
    session : ExplorerSession
        Its session, without what the model keeps.
    layer : weak reference to napari.layers.Image, or None
        The layer that showed its volume, if there was one.
    look : dict
        Display attributes of that layer.
    """

    session: ExplorerSession
    layer: "ReferenceType[Image] | None" = None
    look: dict[str, Any] = field(default_factory=dict)


_handovers: WeakKeyDictionary["napari.Viewer", Handover] = WeakKeyDictionary()


def hand_over(
    viewer: "napari.Viewer", session: ExplorerSession, layer: "Image | None", look: dict[str, Any]
) -> None:
    """Keep the state from which the next explorer of a viewer starts."""
    _handovers[without_proxy(viewer)] = Handover(
        session, None if layer is None else ref(layer), look
    )


def take_over(viewer: "napari.Viewer") -> Handover | None:
    """Return the state left by the last explorer of a viewer, once."""
    return _handovers.pop(without_proxy(viewer), None)
