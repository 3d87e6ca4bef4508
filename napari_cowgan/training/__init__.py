"""Training panel: starts, watches and controls runs, and opens their models."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import napari

    from napari_cowgan.training.panel import TrainingPanel

__all__ = ["TrainingPanel", "show_training_panel"]


def __getattr__(name: str) -> Any:
    # Importing this package must not load Qt or torch.
    if name == "TrainingPanel":
        from napari_cowgan.training.panel import TrainingPanel

        return TrainingPanel
    raise AttributeError(name)


def show_training_panel(viewer: "napari.Viewer") -> "TrainingPanel":
    """Return the training panel of a viewer, opening it in front of other panels if needed."""
    from napari_cowgan.training.panel import TrainingPanel
    from napari_cowgan.widgets.docked import show_panel

    return show_panel(viewer, TrainingPanel)
