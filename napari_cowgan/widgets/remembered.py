"""Settings remembered between sessions."""

from pathlib import Path

from qtpy.QtCore import QSettings, QStandardPaths

_RECENT_LIMIT = 8


def settings() -> QSettings:
    """Return the plugin's persistent settings."""
    return QSettings("napari-cowgan", "napari-cowgan")


def remember(key: str, value: str | bool | int | float) -> None:
    """Store a value for the next session."""
    settings().setValue(key, value)


def recall_text(key: str, default: str = "") -> str:
    """Return a remembered text."""
    return str(settings().value(key, default))


def recall_flag(key: str, default: bool) -> bool:
    """Return a remembered boolean."""
    return str(settings().value(key, default)).lower() == "true"


def recall_number(key: str, default: float) -> float:
    """Return a remembered number; the default if the stored text is no number."""
    try:
        return float(recall_text(key))
    except ValueError:
        return default


def recall_count(key: str, default: int) -> int:
    """Return a remembered integer; the default if the stored text is none."""
    text = recall_text(key)
    return int(text) if text.isdecimal() else default


def recent(what: str) -> list[Path]:
    """Return recently opened paths that still exist, newest first.

    Parameters
    ----------
    what : str
        "checkpoints" or "studies".
    """
    stored = settings().value(f"recent_{what}", [])
    names = [stored] if isinstance(stored, str) else list(stored or [])
    return [Path(name) for name in names if is_there(name)]


def is_there(path: str | Path) -> bool:
    """Return whether a file or folder exists and is accessible; never fails."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def remember_recent(what: str, path: Path) -> None:
    """Put a path at the top of a list of recent paths."""
    path = path.resolve()
    others = [other for other in recent(what) if other != path]
    settings().setValue(f"recent_{what}", [str(p) for p in [path, *others][:_RECENT_LIMIT]])


def last_folder() -> str:
    """Return the folder from which a file was last chosen."""
    return recall_text("last_folder", str(Path.home()))


def remember_folder(chosen: Path) -> None:
    """Remember the folder of a chosen file, so that the next dialog starts there."""
    remember("last_folder", str(chosen if chosen.is_dir() else chosen.parent))


def data_folder() -> Path:
    """Return the folder for the user's own data, such as favourites."""
    location = QStandardPaths.StandardLocation.GenericDataLocation
    return Path(QStandardPaths.writableLocation(location)) / "napari-cowgan"
