"""Open the latent explorer on the bundled model.

With ``--save FOLDER`` it moves a slider, saves a screenshot and a NIfTI file, and quits, as
``make demo`` does on a machine without a display.
"""

import argparse
from pathlib import Path

from napari_cowgan.explorer import launch, show_explorer


def save_example(folder: Path) -> None:
    """Render, move the first slider, and save a screenshot and the volume."""
    import napari
    from qtpy.QtTest import QTest

    viewer = napari.Viewer(show=True)
    viewer.window.resize(1600, 1000)
    panel = show_explorer(viewer)
    _wait_for(lambda: panel.explorer)
    explorer = panel.explorer
    _wait_for(lambda: explorer.showing_complete_volume and explorer.directions.rows)
    explorer.directions.rows[0].slider.setValue(1.5)
    _wait_for(lambda: explorer.showing_complete_volume)
    QTest.qWait(500)

    folder.mkdir(parents=True, exist_ok=True)
    screenshot, volume = folder / "explorer.png", folder / "volume.nii.gz"
    viewer.window.screenshot(str(screenshot), flash=False, canvas_only=False)
    explorer.export.export_volume(volume)
    _wait_for(lambda: not explorer.export.job.running)
    viewer.close()
    if not volume.exists():
        raise SystemExit("The volume could not be exported.")
    print(f"Saved {screenshot} and {volume}")


def _wait_for(condition, timeout_s: float = 120) -> None:
    from time import monotonic

    from qtpy.QtTest import QTest

    end = monotonic() + timeout_s
    while not condition():
        if monotonic() > end:
            raise SystemExit("The explorer did not finish in time.")
        QTest.qWait(20)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--save", type=Path, metavar="FOLDER")
    folder = parser.parse_args().save
    if folder is None:
        launch()
    else:
        save_example(folder)
