"""The training panel: starts runs, watches and steers them, and opens what they have learned."""

from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import napari

    from napari_cowgan.training.panel import TrainingPanel

__all__ = ["TrainingPanel", "show_training_panel"]

_PLUGIN, _WIDGET = "napari-cowgan", "Training"


def __getattr__(name: str) -> Any:
    # The panel pulls in Qt and torch, which naming this package must not do.
    if name == "TrainingPanel":
        from napari_cowgan.training.panel import TrainingPanel

        return TrainingPanel
    raise AttributeError(name)


def show_training_panel(viewer: "napari.Viewer") -> "TrainingPanel":
    """Return the training panel of a viewer, opening it in front of other panels if needed."""
    _, widget = viewer.window.add_plugin_dock_widget(_PLUGIN, _WIDGET, tabify=True)
    return cast("TrainingPanel", widget)
