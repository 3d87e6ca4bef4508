"""The reading window of visual Turing tests, a program of its own."""

from pathlib import Path

__all__ = ["launch"]


def launch(folder: Path | None, copy: Path | None = None) -> int:
    """Open a reader's package; see `napari_cowgan.reading.application.launch`."""
    # Qt and napari, which naming this package must not load.
    from napari_cowgan.reading import application

    return application.launch(folder, copy)
