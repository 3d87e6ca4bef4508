"""What the plugin remembers between sessions."""

from pathlib import Path

from qtpy.QtCore import QSettings, QStandardPaths

_RECENT_LIMIT = 8


def settings() -> QSettings:
    """Return the plugin's persistent settings."""
    return QSettings("napari-cowgan", "napari-cowgan")


def remember(key: str, value: str | bool | int | float) -> None:
    """Keep one value for the next session."""
    settings().setValue(key, value)


def recall_text(key: str, default: str = "") -> str:
    """Return a remembered text."""
    return str(settings().value(key, default))


def recall_flag(key: str, default: bool) -> bool:
    """Return a remembered yes or no."""
    return str(settings().value(key, default)).lower() == "true"


def recall_number(key: str, default: float) -> float:
    """Return a remembered number; the default if what is stored is none."""
    try:
        return float(recall_text(key))
    except ValueError:
        return default


def recall_count(key: str, default: int) -> int:
    """Return a remembered whole number; the default if what is stored is none."""
    text = recall_text(key)
    return int(text) if text.isdecimal() else default


def recent(what: str) -> list[Path]:
    """Return what was opened last, newest first, without what is gone.

    Parameters
    ----------
    what : str
        "checkpoints" or "studies".
    """
    stored = settings().value(f"recent_{what}", [])
    names = [stored] if isinstance(stored, str) else list(stored or [])
    return [Path(name) for name in names if is_there(name)]


def is_there(path: str | Path) -> bool:
    """Return whether a file or folder exists and may be looked at; never fails."""
    try:
        return Path(path).exists()
    except (OSError, ValueError):
        return False


def remember_recent(what: str, path: Path) -> None:
    """Put a path at the head of a recent list."""
    path = path.resolve()
    others = [other for other in recent(what) if other != path]
    settings().setValue(f"recent_{what}", [str(p) for p in [path, *others][:_RECENT_LIMIT]])


def last_folder() -> str:
    """Return the folder a file was last chosen from."""
    return recall_text("last_folder", str(Path.home()))


def remember_folder(chosen: Path) -> None:
    """Remember where a file was chosen, so the next dialog starts there."""
    remember("last_folder", str(chosen if chosen.is_dir() else chosen.parent))


def data_folder() -> Path:
    """Return the folder for what belongs to the person, such as favourites."""
    location = QStandardPaths.StandardLocation.GenericDataLocation
    return Path(QStandardPaths.writableLocation(location)) / "napari-cowgan"
