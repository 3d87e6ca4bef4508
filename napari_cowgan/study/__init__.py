"""Study panel: creates visual Turing tests, distributes and collects them, and shows results.

The coordinator's side; the window that readers see is `napari_cowgan.reading`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import napari

    from napari_cowgan.study.panel import StudyPanel

__all__ = ["StudyPanel", "show_study_panel"]


def __getattr__(name: str) -> Any:
    # Importing this package must not load Qt.
    if name == "StudyPanel":
        from napari_cowgan.study.panel import StudyPanel

        return StudyPanel
    raise AttributeError(name)


def show_study_panel(viewer: "napari.Viewer") -> "StudyPanel":
    """Return the study panel of a viewer, opening it in front of other panels if needed."""
    from napari_cowgan.study.panel import StudyPanel
    from napari_cowgan.widgets.docked import show_panel

    return show_panel(viewer, StudyPanel)
