"""Reading window of visual Turing tests, a separate application."""

from pathlib import Path

__all__ = ["launch"]


def launch(folder: Path | None, copy: Path | None = None) -> int:
    """Open a reader's package; see `napari_cowgan.reading.application.launch`."""
    # Importing this package must not load Qt or napari.
    from napari_cowgan.reading import application

    return application.launch(folder, copy)
