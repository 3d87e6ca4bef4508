"""What is dropped on a panel."""

from pathlib import Path

from qtpy.QtGui import QDropEvent


def dropped_paths(event: QDropEvent) -> list[Path]:
    """Return the files and folders that are dropped, none if there is anything else."""
    urls = event.mimeData().urls()
    if not all(url.isLocalFile() for url in urls):
        return []
    return [Path(url.toLocalFile()) for url in urls]


def dropped_path(event: QDropEvent) -> Path | None:
    """Return the one file or folder that is dropped, None if it is anything else."""
    paths = dropped_paths(event)
    return paths[0] if len(paths) == 1 else None


def dropped_folder(event: QDropEvent) -> Path | None:
    """Return the one folder that is dropped, None if it is anything else."""
    path = dropped_path(event)
    return path if path is not None and path.is_dir() else None
