"""Tests of the cost and dependencies of importing the engine."""

import subprocess
import sys

import pytest

QT = {"PyQt5", "PyQt6", "PySide2", "PySide6", "qtpy", "napari", "vispy", "magicgui", "superqt"}


def loaded_after(statement: str) -> set[str]:
    code = f"{statement}\nimport sys\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    return set(
        subprocess.run(
            [sys.executable, "-c", code], check=True, capture_output=True, encoding="utf-8"
        ).stdout.split()
    )


@pytest.mark.parametrize(
    "module",
    [
        "cowgan",
        "cowgan.bank.bank",
        "cowgan.data.preprocess",
        "cowgan.errors",
        "cowgan.files",
        "cowgan.measure",
        "cowgan.progress",
        "cowgan.simulate",
        "cowgan.volume",
    ],
)
def test_light_parts_load_neither_torch_nor_qt(module):
    assert not loaded_after(f"import {module}") & (QT | {"torch"})


@pytest.mark.parametrize(
    "module",
    ["cowgan.networks", "cowgan.networks.architecture", "cowgan.checkpoint", "cowgan.synthesis"],
)
def test_the_engine_loads_no_window_library(module):
    assert not loaded_after(f"import {module}") & QT


@pytest.mark.parametrize(
    "panel", ["explorer import ExplorerPanel", "training import TrainingPanel"]
)
def test_naming_a_panel_loads_no_torch(panel):
    # napari imports it when the menu entry is chosen, and its window waits meanwhile.
    assert "torch" not in loaded_after(f"from napari_cowgan.{panel}")
