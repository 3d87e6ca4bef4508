"""Study panels for tests: small volumes, real keys."""

from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QWidget
from reading_windows import wait_for
from turing_studies import SPACING_MM

from cowgan.simulate import make_phantom
from cowgan.volume import Volume, default_affine, write_nifti

Key = Qt.Key
_MOST_TABS = 120


def write_phantoms(folder: Path, count: int) -> Path:
    """Write phantoms with so few voxels that a tiny model makes as many."""
    for seed in range(count):
        data = make_phantom(seed)[0].data[::4, ::8, ::8].copy()
        volume = Volume(data, default_affine(data.shape, SPACING_MM))
        write_nifti(volume, folder / f"sub-{seed:02d}_tof.nii.gz")
    return folder


def press(*keys: Qt.Key, **options: object) -> None:
    """Press keys as a keyboard does: whatever has the focus gets them."""
    for key in keys:
        receiver = QApplication.focusWidget()
        assert receiver is not None, "nothing has the focus"
        QTest.keyClick(receiver, key, **options)


def come_back_to(widget: QWidget) -> None:
    """Bring a window to the front, and the focus to something in it."""
    widget.window().activateWindow()
    wait_for(widget.isActiveWindow)
    widget.setFocus()


def tab_to(widget: QWidget) -> None:
    """Press Tab until a widget has the focus."""
    for _ in range(_MOST_TABS):
        if widget.hasFocus():
            return
        press(Key.Key_Tab)
    raise AssertionError(f"Tab does not lead to {widget.accessibleName() or widget.toolTip()}")


def type_into(field: QWidget, text: str | Path | int) -> None:
    """Go to a field, and replace what is in it."""
    tab_to(field)
    press(Key.Key_A, modifier=Qt.KeyboardModifier.ControlModifier)
    QTest.keyClicks(QApplication.focusWidget(), str(text))


def push(button: QWidget) -> None:
    """Go to a button, and press it."""
    tab_to(button)
    press(Key.Key_Space)
