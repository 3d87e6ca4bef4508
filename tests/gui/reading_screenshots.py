"""Draw the reading window in every state, for people to look at.

Usage: ``python tests/gui/reading_screenshots.py [FOLDER]`` on a display; `screenshots.py`
calls it too. With ``QT_SCALE_FACTOR=2`` it draws what a screen of high resolution shows.
"""

import errno
import os
import shutil
import sys
import tempfile
from pathlib import Path
from unittest.mock import Mock, patch

os.environ["HOME"] = tempfile.mkdtemp()
sys.path.append(str(Path(__file__).parents[1]))

from gui_events import click_at, drag_across
from qtpy.QtGui import QCursor
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget
from reading_windows import Key, go_to, open_window, press, wait_for, wait_for_state

from cowgan.checkpoint import BUNDLED
from cowgan.simulate import make_phantom
from cowgan.turing.design.protocol import Protocol
from cowgan.turing.design.sources import CheckpointSource, FolderSource
from cowgan.turing.design.trials import Rules
from cowgan.turing.reading.package import find_package
from cowgan.turing.reading.snapshot import State
from cowgan.turing.study.creation import new_study
from cowgan.volume import write_nifti
from napari_cowgan.reading import presenter
from napari_cowgan.reading.window import ReadingWindow

SIZES = ((1280, 800), (1600, 1000))
_COMMON = {"readers": 1, "repeats": 0, "block": 2, "seed": 1}


def make_packages(folder: Path) -> tuple[Path, Path]:
    """Return a package of single volumes with an impression phase, and one of pairs."""
    for seed in range(8):
        write_nifti(make_phantom(seed)[0], folder / "real" / f"phantom-{seed}.nii.gz")
    real, generated = FolderSource(folder / "real"), CheckpointSource(BUNDLED, 0.8, "cpu")
    packages = []
    for name, protocol in (
        (
            "rating",
            Protocol(cases=10, practice=2, impressions=2, rules=Rules(break_trials=2), **_COMMON),
        ),
        ("pairs", Protocol(cases=12, practice=2, rules=Rules("2afc"), **_COMMON)),
    ):
        study = new_study(folder / name, real, generated, protocol, accept_leak="for pictures")
        packages.append(study.package_folder(study.readers[0]))
    return packages[0], packages[1]


def shoot_reading(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as work:
        packages = make_packages(Path(work))
        for width, height in SIZES:
            rating, pairs = (
                shutil.copytree(package, Path(work, f"{package.parents[1].name}-{width}"))
                for package in packages
            )
            _shoot_rating(rating, folder, width, height)
            _shoot_pairs(pairs, folder, width, height)
            _shoot_problems(rating, folder, width, height)


def _shoot_rating(package: Path, folder: Path, width: int, height: int) -> None:
    window = _open(package, width, height)
    _save(window, folder, "impression-instructions")
    go_to(window, State.CONSENT)
    _save(window, folder, "consent")
    go_to(window, State.VIEWING)
    _save(window, folder, "impression")
    go_to(window, State.INSTRUCTIONS)
    _save(window, folder, "practice-instructions")
    go_to(window, State.FEEDBACK)
    _save(window, folder, "feedback")
    go_to(window, State.INSTRUCTIONS)
    _save(window, folder, "reading-instructions")
    go_to(window, State.READY)
    _save(window, folder, "ready")
    with patch.object(presenter, "BLANK_S", 2):
        go_to(window, State.LOADING)
        _save(window, folder, "loading")
    go_to(window, State.VIEWING)
    _save(window, folder, "viewing")
    press(window, Key.Key_R)
    _save(window, folder, "answered")
    press(window, Key.Key_4)
    _save(window, folder, "rated")
    press(window, Key.Key_G, Key.Key_5, Key.Key_PageUp)
    overlay = window.trial_page.image.panes[0].overlay
    for right, down in ((30, -60), (-70, 40)):
        click_at(overlay, right, down)
    window.trial_page.side.marks.reasons["Vessel ends or breaks off"].click()
    _save(window, folder, "marking")
    press(window, Key.Key_M)
    _save(window, folder, "mip")
    drag_across(overlay, 120, 160)
    _save(window, folder, "mip-turned")
    press(window, Key.Key_M)
    drag_across(overlay, 200, -60)
    _save(window, folder, "windowed")
    press(window, Key.Key_Tab)
    _save(window, folder, "focus")
    window.reading.long_viewed.emit()
    _save(window, folder, "hint")
    press(window, Key.Key_P)
    _save(window, folder, "pause")
    press(window, Key.Key_P)
    other = QWidget()
    other.show()
    other.activateWindow()
    wait_for_state(window, State.PAUSED)
    other.close()
    _save(window, folder, "focus-lost")
    window.activateWindow()
    press(window, Key.Key_P)
    go_to(window, State.BREAK)
    _save(window, folder, "break")
    window.close()
    window = _open(package, width, height)
    _save(window, folder, "welcome-back")
    go_to(window, State.FINISHED)
    _save(window, folder, "finish")
    window.files.save_receipt(package / "sub-R01_receipt.json")
    _save(window, folder, "receipt-saved")
    window.files.save_answers(package / "sub-R01_answers.zip")
    _save(window, folder, "answers-saved")
    window.close()
    window = ReadingWindow()
    window.show()
    window.resize(width, height)
    window.ask_for_package(find_package)
    _save(window, folder, "choose")
    window._on_chosen(folder)
    _save(window, folder, "choose-refused")
    window.close()


def _shoot_problems(package: Path, folder: Path, width: int, height: int) -> None:
    (package / "journal.jsonl").unlink()
    window = _open(package, width, height)
    second = _open(package, width, height)
    _save(second, folder, "in-use")
    second.close()
    window.activateWindow()
    wait_for(window.isActiveWindow)
    go_to(window, State.CONSENT)
    press(window, Key.Key_Tab, Key.Key_Tab, Key.Key_Space)
    _save(window, folder, "declined")
    window.close()
    window = _open(package, width, height)
    go_to(window, State.RATED)
    full = OSError(errno.ENOSPC, "No space left on device")
    with patch.object(os, "write", Mock(side_effect=full)):
        press(window, Key.Key_Return)
        wait_for(lambda: window.reading.problem is not None)
        _save(window, folder, "disk-full")
        window.close()
        _save(window, folder, "disk-full-closing")
    press(window, Key.Key_Return)
    (package / "manifest.json").write_text("{}", encoding="utf-8")
    window = _open(package, width, height)
    _save(window, folder, "changed")
    window.close()


def _shoot_pairs(package: Path, folder: Path, width: int, height: int) -> None:
    window = _open(package, width, height)
    _save(window, folder, "pairs-instructions")
    go_to(window, State.VIEWING)
    press(window, Key.Key_Right, Key.Key_4)
    _save(window, folder, "pairs")
    press(window, Key.Key_M)
    _save(window, folder, "pairs-mip")
    window.close()


def _open(package: Path, width: int, height: int) -> ReadingWindow:
    window = open_window(package)
    window.resize(width, height)
    window.move(0, 0)
    # Whatever a screenshot shows, no pointer hovers over it.
    QCursor.setPos(window.screen().geometry().bottomRight())
    QTest.qWait(300)
    return window


def _save(window: ReadingWindow, folder: Path, name: str) -> None:
    QTest.qWait(300)
    scale = f"@{window.devicePixelRatio():g}" if window.devicePixelRatio() != 1 else ""
    path = folder / f"reading-{window.width()}x{window.height()}{scale}-{name}.png"
    # From the screen, as a canvas is not always drawn into a widget's own picture.
    window.screen().grabWindow(window.winId()).save(str(path))
    print(path)


if __name__ == "__main__":
    application = QApplication([])
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    target.mkdir(parents=True, exist_ok=True)
    shoot_reading(target)
