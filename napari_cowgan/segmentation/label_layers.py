"""The labels layers that the panel made or shows, and what the user painted in them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import ReferenceType, WeakKeyDictionary, ref

import numpy as np
from napari.layers import Image, Labels
from napari.utils.colormaps import DirectLabelColormap
from numpy.typing import NDArray
from qtpy.QtCore import QObject, Signal

from cowgan.anatomy.label_schemes import TERRITORIES, LabelScheme
from cowgan.volume import Volume
from napari_cowgan.segmentation.tasks import LayerState, Segmented
from napari_cowgan.viewer.artery_colours import colour_table
from napari_cowgan.viewer.current_viewer import ignore_pointer
from napari_cowgan.viewer.display import (
    display_metadata,
    display_transform,
    labels_to_layer,
    scheme_of_layer,
)

if TYPE_CHECKING:
    import napari

EDITED = "edited_by_hand"
"""Entry in the provenance of a label map that was painted on."""

_METADATA = "cowgan"
_BRUSH_VOXELS = 3
_OPACITY = 0.7


@dataclass
class _Known:
    """What is known of a labels layer.

    Parameters
    ----------
    original : ndarray
        Its labels before the user painted.
    kept : ndarray
        Its labels when they were last saved, or originally.
    edited_before : bool
        Whether its history told of edits before the user painted.
    painted : bool
        Whether the user ever painted in it, even if it was undone.
    volume : Volume or None
        What was segmented.
    image : weak reference to Image, or None
        The layer that shows it.
    network : Path or None
        The network that found the labels.
    """

    original: NDArray[Any]
    kept: NDArray[Any]
    edited_before: bool
    painted: bool = False
    volume: Volume | None = None
    image: ReferenceType[Image] | None = None
    network: Path | None = None


class LabelLayers(QObject):
    """Shows results as labels layers, and follows the one that the user works on.

    That is the selected labels layer of a known scheme; while other layers are selected, the last
    such layer.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer with the layers.
    parent : QObject
        The panel.

    Signals
    -------
    changed
        Another layer is followed, or its labels may have changed.
    brush_changed
        The brush of the followed layer has changed.

    Attributes
    ----------
    followed : Labels or None
        The layer that the user works on.
    """

    changed = Signal()
    brush_changed = Signal()

    def __init__(self, viewer: "napari.Viewer", parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._known: WeakKeyDictionary[Labels, _Known] = WeakKeyDictionary()
        self.followed: Labels | None = None
        self._connections: list[tuple[Any, Callable[..., None]]] = [
            (viewer.layers.events.inserted, self._follow),
            (viewer.layers.events.removed, self._follow),
            (viewer.layers.selection.events.active, self._follow),
            (viewer.dims.events.ndisplay, self._on_brush),
        ]
        for event, slot in self._connections:
            event.connect(slot)
        self._follow()

    # What is shown

    @property
    def scheme(self) -> LabelScheme | None:
        """Scheme of the followed layer."""
        return None if self.followed is None else _scheme(self.followed)

    @property
    def provenance(self) -> dict[str, Any]:
        """Provenance of the followed layer."""
        return {} if self.followed is None else _provenance(self.followed)

    @property
    def image(self) -> Image | None:
        """The image that the followed layer was made from, if it is still in the viewer."""
        known = self._known_of_followed
        image = known.image() if known is not None and known.image is not None else None
        return image if image in self._viewer.layers else None

    @property
    def volume(self) -> Volume | None:
        """What was segmented to make the followed layer; None if that was not done here."""
        known = self._known_of_followed
        return None if known is None else known.volume

    @property
    def hidden(self) -> set[int]:
        """The labels of the followed layer that are not shown."""
        scheme, layer = self.scheme, self.followed
        if layer is None or scheme is None:
            return set()
        return {value for value in scheme.labels if layer.get_color(value)[3] == 0}

    def hide(self, hidden: set[int]) -> None:
        """Show all labels of the followed layer except these."""
        if self.followed is not None and self.scheme is not None:
            colours = colour_table(hidden, self.scheme)
            self.followed.colormap = DirectLabelColormap(color_dict=colours)

    def show(self, segmented: Segmented, image: Image | None, network: Path) -> None:
        """Show a result: in its earlier layer, unless the user painted there, or in a new one."""
        earlier = self._replaceable(image, network)
        what = "Territories" if segmented.scheme is TERRITORIES else "Arteries"
        name = what if image is None else f"{what} of {image.name}"
        data, options, _ = labels_to_layer(
            segmented.labels, segmented.volume.affine, name, segmented.provenance
        )
        if earlier is None:
            layer = Labels(data, **{**options, "opacity": _OPACITY})
            self._know(layer)
            ignore_pointer(self._viewer)
            self._viewer.add_layer(layer)
        else:
            layer = earlier
            self._update(layer, data, segmented)
        known = self._known[layer]
        known.original = known.kept = data.copy()
        known.painted = False
        known.volume, known.network = segmented.volume, network
        known.image = None if image is None else ref(image)
        self._follow()
        self.changed.emit()

    def state(self) -> LayerState | None:
        """Return voxels and state of the followed layer; None if there is none."""
        if self.followed is None:
            return None
        self._mark_edits(self.followed)
        data, options, _ = self.followed.as_layer_data_tuple()
        # Copies, because the user may paint while a thread works with them.
        return data.copy(), options

    # Painting

    @property
    def edited(self) -> bool:
        """Whether the followed layer differs from what the network found, or a file held."""
        known, layer = self._known_of_followed, self.followed
        return (
            known is not None
            and layer is not None
            and known.painted
            and not np.array_equal(np.asarray(layer.data), known.original)
        )

    @property
    def unsaved(self) -> list[Labels]:
        """Layers of the viewer with edits that no file holds."""
        return [
            layer
            for layer, known in self._known.items()
            if known.painted
            and layer in self._viewer.layers
            and not np.array_equal(np.asarray(layer.data), known.kept)
        ]

    def saved(self, layer: Labels, data: NDArray[Any]) -> None:
        """Note that a file holds these labels of a layer."""
        self._known[layer].kept = data

    def pick(self, value: int) -> None:
        """Let the brush of the followed layer paint a label, and show that label."""
        layer = self.followed
        if layer is None:
            return
        self._viewer.layers.selection.active = layer
        layer.visible = True
        layer.selected_label = value
        layer.mode = "paint"
        if value in self.hidden:
            self.hide(self.hidden - {value})

    def stop_painting(self) -> None:
        """Put the brush away."""
        if self.followed is not None:
            self.followed.mode = "pan_zoom"

    # Following

    def leave(self) -> None:
        """Stop following the viewer's layers."""
        for event, slot in self._connections:
            event.disconnect(slot)
        self._watch(None)

    @property
    def _known_of_followed(self) -> _Known | None:
        return None if self.followed is None else self._known.get(self.followed)

    def _follow(self) -> None:
        layers = [
            layer
            for layer in self._viewer.layers
            if isinstance(layer, Labels) and layer.ndim == 3 and _scheme(layer) is not None
        ]
        active = self._viewer.layers.selection.active
        if active in layers:
            wanted = active
        elif self.followed in layers:
            wanted = self.followed
        else:
            wanted = layers[-1] if layers else None
        if wanted is not self.followed:
            self._watch(wanted)
            self.changed.emit()
            self.brush_changed.emit()

    def _watch(self, layer: Labels | None) -> None:
        if self.followed is not None:
            for event, slot in self._slots(self.followed):
                event.disconnect(slot)
        self.followed = layer
        if layer is not None:
            self._know(layer)
            for event, slot in self._slots(layer):
                event.connect(slot)

    def _know(self, layer: Labels) -> None:
        if layer not in self._known:
            data = np.array(layer.data)
            edited = bool(_provenance(layer).get(EDITED))
            self._known[layer] = _Known(data, data, edited)
            # napari's brush is wider than any artery.
            layer.brush_size = _BRUSH_VOXELS

    def _slots(self, layer: Labels) -> list[tuple[Any, Callable[..., None]]]:
        events = layer.events
        return [
            (events.paint, self._on_painted),
            (events.data, self._on_painted),
            # Painting, then undo and redo, after which the data have changed; but the latter is
            # also emitted when another slice is shown.
            (events.labels_update, self._on_data),
            (events.set_data, self._on_data),
            (events.mode, self._on_brush),
            (events.selected_label, self._on_brush),
        ]

    def _on_painted(self) -> None:
        known = self._known_of_followed
        if known is not None:
            known.painted = True
            self.changed.emit()

    def _on_data(self) -> None:
        known = self._known_of_followed
        if known is not None and known.painted:
            self.changed.emit()

    def _mark_edits(self, layer: Labels) -> None:
        """Let the provenance, which napari's own Save writes too, say whether it was edited."""
        provenance = {**_provenance(layer), EDITED: self.edited or self._known[layer].edited_before}
        own = layer.metadata.get(_METADATA)
        if isinstance(own, dict) and provenance[EDITED] != bool(_provenance(layer).get(EDITED)):
            layer.metadata = {**layer.metadata, _METADATA: {**own, "provenance": provenance}}

    def _on_brush(self) -> None:
        self.brush_changed.emit()

    def _replaceable(self, image: Image | None, network: Path) -> Labels | None:
        if image is None:
            return None
        return next(
            (
                layer
                for layer, known in self._known.items()
                if layer in self._viewer.layers
                and known.network == network
                and known.image is not None
                and known.image() is image
                # Even undone edits count: redoing them would paint into another result.
                and not known.painted
            ),
            None,
        )

    def _update(self, layer: Labels, data: NDArray[Any], segmented: Segmented) -> None:
        volume = Volume(
            segmented.labels.astype(np.float32), segmented.volume.affine, segmented.provenance
        )
        layer.data = data
        layer.metadata = {**layer.metadata, _METADATA: display_metadata(volume)}
        for name, value in display_transform(volume).items():
            setattr(layer, name, value)


def _provenance(layer: Labels) -> dict[str, Any]:
    own = layer.metadata.get(_METADATA)
    provenance = own.get("provenance") if isinstance(own, dict) else None
    return provenance or {}


def _scheme(layer: Labels) -> LabelScheme | None:
    return scheme_of_layer(layer.features, _provenance(layer))
