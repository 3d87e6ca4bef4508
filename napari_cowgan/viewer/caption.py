"""A caption on the canvas that marks synthetic volumes, in screenshots too."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary, ref

from cowgan.text import escaped
from napari_cowgan.viewer.current_viewer import window_is_gone, without_proxy

if TYPE_CHECKING:
    import napari
    from napari.layers import Layer

_FONT_SIZE = 8
_LONGEST_NAME = 28
_LONGEST_MODEL = 16
"""Characters; keeps the line clear of the letter at the bottom, even in a small window."""
_MOST_LINES = 6
_NOT_FOR_DIAGNOSIS = "Not for diagnosis."
_PLAIN: dict[str, Any] = {
    "w": None,
    "psi": 1.0,
    "cutoff": None,
    "mixing": [],
    "noise": True,
    "noise_seed": None,
    "noise_strength": [],
    "edits": [],
}
"""Fields of an unedited `cowgan.synthesis.LatentState` in a file, except its seed.

Repeated here because importing that class would load PyTorch.
"""

_FOUND = {"w", "noise_maps", "noise_seed", "noise_strength", "origin"}
"""Fields that a projection sets."""

_captions: WeakKeyDictionary["napari.Viewer", "Caption"] = WeakKeyDictionary()


def caption(viewer: "napari.Viewer") -> "Caption":
    """Return the caption of a viewer, creating it if needed."""
    viewer = without_proxy(viewer)
    known = _captions.get(viewer)
    if known is None:
        known = _captions[viewer] = Caption(viewer)
    return known


class Caption:
    """A canvas text that follows the visible layers and keeps text set by others.

    Parameters
    ----------
    viewer : napari.Viewer
        The viewer whose layers are followed.
    """

    def __init__(self, viewer: "napari.Viewer") -> None:
        self._viewer = ref(viewer)
        self._ours = ""
        self._others = ""
        self._shown = ""
        layers = viewer.layers
        for event in (layers.events.removed, layers.events.reordered, layers.events.renamed):
            event.connect(self.refresh)
        layers.selection.events.active.connect(self.refresh)
        layers.events.inserted.connect(self._on_inserted)
        for layer in layers:
            self._follow(layer)
        self.refresh()

    def refresh(self) -> None:
        """Describe the layers that are visible now."""
        viewer = self._viewer()
        if viewer is None or window_is_gone(viewer):
            return
        overlay = viewer.canvas.overlays.text
        if overlay.text != self._shown:
            self._others, self._ours = overlay.text if overlay.visible else "", ""
        layers = viewer.layers
        active = layers.selection.active
        # Topmost first, as in the layer list, but the active layer before all others.
        visible = sorted(filter(_is_visible, reversed(layers)), key=lambda each: each is not active)
        ours = describe(visible)
        if ours != self._ours:
            self._ours = ours
            self._shown = "\n".join(filter(None, (self._others, ours)))
            overlay.text = self._shown
            overlay.font_size = _FONT_SIZE
            overlay.visible = bool(self._shown)

    def _on_inserted(self, event: Any) -> None:
        self._follow(event.value)
        self.refresh()

    def _follow(self, layer: "Layer") -> None:
        for event in (layer.events.visible, layer.events.opacity, layer.events.metadata):
            event.connect(self.refresh)


def describe(layers: "Sequence[Layer]") -> str:
    """Return a caption for layers that are visible together.

    Parameters
    ----------
    layers : sequence of napari.layers.Layer
        The visible layers, in the order in which to name them.

    Returns
    -------
    str
        Lines of text; empty if no layer is synthetic. Layers are named unless the same is true
        of all.
    """
    named = [(layer.name, _origin(layer)) for layer in layers]
    synthetic = [(name, origin) for name, origin in named if origin is not None]
    if not synthetic:
        return ""
    models = {origin.model for _, origin in synthetic}
    if len({origin for _, origin in named}) == 1:
        lines = [f"Synthetic{synthetic[0][1].made}."]
    else:
        several = len(models) > 1
        lines = [
            f"“{_short(name)}”: synthetic{origin.made}"
            f"{f', model {origin.model}' if several and origin.model else ''}."
            for name, origin in synthetic
        ]
    more = len(lines) - _MOST_LINES
    if more > 0:
        lines[_MOST_LINES:] = [f"{more} more synthetic layer{'s' if more > 1 else ''}."]
    if len(models) == 1 and (model := models.pop()):
        lines.append(f"Model {model}.")
    return "\n".join([*lines, _NOT_FOR_DIAGNOSIS])


class _Origin(NamedTuple):
    """The origin of a synthetic layer: text to append to "synthetic", and the model."""

    made: str
    model: str


def _is_visible(layer: "Layer") -> bool:
    return bool(layer.visible and layer.opacity > 0)


def _origin(layer: "Layer") -> _Origin | None:
    """Return the origin of a synthetic layer; None for others."""
    own = layer.metadata.get("cowgan")
    if not isinstance(own, dict) or not own.get("synthetic"):
        return None
    provenance = own.get("provenance")
    provenance = provenance if isinstance(provenance, dict) else {}
    parts = ["", *_latent(provenance.get("state"))]
    for kind, word in (("phantom", "a phantom"), ("simulation", "simulated")):
        made = provenance.get(kind)
        if isinstance(made, dict):
            parts += [word, f"seed {_short(made.get('seed'))}"]
            break
    if "step" in own:
        parts.append(f"samples at training step {own['step']}")
    return _Origin(", ".join(parts), _model(provenance.get("checkpoint")))


def _latent(state: Any) -> list[str]:
    if not isinstance(state, dict):
        return []
    # Fields that are not listed are written only where they change something.
    changed = {name for name, value in state.items() if value != _PLAIN.get(name)}
    origin, what = state.get("origin"), f"seed {_short(state.get('seed'))}"
    if isinstance(origin, str) and "w" in changed:
        what = f"projection of {_short(origin.split(', ')[0])}"
        changed -= _FOUND
    edited = bool(changed - {"schema", "seed"})
    return [what, *(["edited"] if edited else [])]


def _model(checkpoint: Any) -> str:
    if not isinstance(checkpoint, dict):
        return ""
    name, digest = _short(checkpoint.get("name"), _LONGEST_MODEL), checkpoint.get("sha256")
    hashed = f", {_short(digest)[:8]}" if digest else ""
    return f"“{name}”{hashed}{', tuned to a scan' if checkpoint.get('tuned_to') else ''}"


def _short(text: object, longest: int = _LONGEST_NAME) -> str:
    shown = escaped(str(text))
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"
