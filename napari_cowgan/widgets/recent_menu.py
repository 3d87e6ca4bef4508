"""The section of a menu that offers what was opened recently."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from qtpy.QtWidgets import QMenu

from napari_cowgan.widgets.remembered import recent


def add_recent(menu: QMenu, what: str, choose: Callable[[Path], object]) -> None:
    """Add recently opened paths to a menu, if there are any.

    Parameters
    ----------
    menu : QMenu
        Gets a section and an action for each path.
    what : str
        Which list, see `remembered.recent`.
    choose : callable
        Called with the path that the user chose.
    """
    known = recent(what)
    if known:
        menu.addSection("Recent")
    for path in known:
        action = menu.addAction(f"{path.parent.name}/{path.name}")
        action.setToolTip(str(path))
        action.triggered.connect(partial(_choose, choose, path))


def _choose(choose: Callable[[Path], object], path: Path, _checked: bool = False) -> None:
    choose(path)
