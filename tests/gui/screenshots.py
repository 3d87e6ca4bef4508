"""Draw the explorer in both themes, each control group included, for people to look at.

Usage: ``make screenshots``, or ``python tests/gui/screenshots.py [FOLDER]`` on a display.
"""

import os
import sys
import tempfile
from pathlib import Path
from time import monotonic

# Before Qt and napari read it: a person's own settings must not show in the pictures.
os.environ["HOME"] = tempfile.mkdtemp()

import napari
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QScrollArea

from napari_cowgan.controls import Section
from napari_cowgan.explorer import show_explorer
from napari_cowgan.explorer.panel import LatentExplorer
from napari_cowgan.settings import settings


def wait_for(condition, timeout_s: float = 120) -> None:
    end = monotonic() + timeout_s
    while not condition():
        assert monotonic() < end, "the explorer did not finish in time"
        QTest.qWait(20)


def fill(explorer: LatentExplorer) -> None:
    """Put something into every group, as a person would."""
    explorer.favourites.add_current()
    explorer.compare.keep("A")
    explorer.model.step_seed(1)
    explorer.favourites.add_current()
    explorer.compare.keep("B")
    explorer.mixing.blocks[0].click()
    explorer.mixing.blocks[1].click()
    explorer.directions.rows[0].slider.setValue(1.5)
    explorer.grid.show_from(3)


def shoot(folder: Path, theme: str) -> None:
    settings().clear()
    viewer = napari.Viewer()
    viewer.theme = theme
    viewer.window.resize(1600, 1000)
    explorer = show_explorer(viewer)
    wait_for(lambda: explorer.showing_complete_volume and explorer.directions.rows)
    QTest.qWait(1000)

    def save(name: str) -> None:
        QTest.qWait(300)
        path = folder / f"{theme}-{name}.png"
        viewer.window.screenshot(str(path), flash=False, canvas_only=False)
        print(path)

    save("start")
    fill(explorer)
    sections = explorer.findChildren(Section)
    for section in sections:
        section.collapse(animate=False)
    for section in sections:
        section.expand(animate=False)
        explorer.findChild(QScrollArea).ensureWidgetVisible(section)
        QTest.qWait(2500)
        save(section.text()[3:].lower().replace(" ", "-"))
        section.collapse(animate=False)
    for view in ("coronal", "sagittal"):
        explorer.view.views[view].click()
        save(view)
    for rendering in ("Attenuated MIP", "Isosurface"):
        explorer.view.views["axial"].click()
        explorer.view.rendering.setCurrentText(rendering)
        explorer.view.rendering.textActivated.emit(rendering)
        save(rendering.lower().replace(" ", "-"))
    viewer.close()


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    target.mkdir(parents=True, exist_ok=True)
    for chosen in ("dark", "light"):
        shoot(target, chosen)
