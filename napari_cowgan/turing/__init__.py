"""The reading window of visual Turing tests, a program of its own."""

from pathlib import Path

__all__ = ["launch"]


def launch(folder: Path | None, copy: Path | None = None) -> int:
    """Open a reader's package; see `napari_cowgan.turing.application.launch`."""
    # Qt and napari, which naming this package must not load.
    from napari_cowgan.turing import application

    return application.launch(folder, copy)
