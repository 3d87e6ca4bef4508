"""What is dropped on a panel."""

from pathlib import Path

from qtpy.QtGui import QDropEvent


def dropped_path(event: QDropEvent) -> Path | None:
    """Return the one file or folder that is dropped, None if it is anything else."""
    urls = event.mimeData().urls()
    if len(urls) != 1 or not urls[0].isLocalFile():
        return None
    return Path(urls[0].toLocalFile())


def dropped_folder(event: QDropEvent) -> Path | None:
    """Return the one folder that is dropped, None if it is anything else."""
    path = dropped_path(event)
    return path if path is not None and path.is_dir() else None
