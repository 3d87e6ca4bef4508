"""Evaluation panel: says how good generated volumes are, and shows them beside real ones."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import napari

    from napari_cowgan.evaluation.panel import EvaluationPanel

__all__ = ["EvaluationPanel", "show_evaluation_panel"]


def __getattr__(name: str) -> Any:
    # Importing this package must not load Qt.
    if name == "EvaluationPanel":
        from napari_cowgan.evaluation.panel import EvaluationPanel

        return EvaluationPanel
    raise AttributeError(name)


def show_evaluation_panel(viewer: "napari.Viewer") -> "EvaluationPanel":
    """Return the evaluation panel of a viewer, opening it in front of other panels if needed."""
    from napari_cowgan.evaluation.panel import EvaluationPanel
    from napari_cowgan.widgets.docked import show_panel

    return show_panel(viewer, EvaluationPanel)
