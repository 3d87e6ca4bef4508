"""Files and folders dropped on a panel."""

from pathlib import Path

from qtpy.QtGui import QDropEvent


def dropped_paths(event: QDropEvent) -> list[Path]:
    """Return the dropped files and folders; empty if anything else is dropped."""
    urls = event.mimeData().urls()
    if not all(url.isLocalFile() for url in urls):
        return []
    return [Path(url.toLocalFile()) for url in urls]


def dropped_path(event: QDropEvent) -> Path | None:
    """Return the dropped file or folder; None unless it is exactly one."""
    paths = dropped_paths(event)
    return paths[0] if len(paths) == 1 else None


def dropped_folder(event: QDropEvent) -> Path | None:
    """Return the dropped folder; None unless it is exactly one."""
    path = dropped_path(event)
    return path if path is not None and path.is_dir() else None
