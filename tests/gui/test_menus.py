"""The menu entries of the plugin, chosen as a user would."""

import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from napari._app_model import get_app_model

from cowgan.volume import Volume, default_affine
from napari_cowgan import sample_data

COMMAND = "napari-cowgan.new_synthetic_volume"


def test_new_volume_in_the_file_menu_adds_a_layer(
    make_napari_viewer: Callable, monkeypatch: pytest.MonkeyPatch
):
    shape = (4, 6, 8)
    volume = Volume(np.ones(shape), default_affine(shape), {"synthetic": True})
    monkeypatch.setattr(sample_data, "_render", lambda seed: volume)
    viewer = make_napari_viewer()
    app = get_app_model()
    entries = app.menus.get_menu("napari/file/new_layer")
    assert COMMAND in {entry.command.id for entry in entries if hasattr(entry, "command")}
    app.commands.execute_command(COMMAND).result()
    (layer,) = viewer.layers
    assert layer.metadata["cowgan"]["synthetic"]


@pytest.mark.parametrize(
    ("menu", "command"),
    [
        ("napari/file/new_layer", "napari-cowgan.new_phantom"),
        ("napari/layers/visualize", "napari-cowgan.artery_legend"),
        ("napari/layers/visualize", "napari-cowgan.three_planes"),
        ("napari/layers/data", "napari-cowgan.data"),
        ("napari/layers/data", "napari-cowgan.training"),
        ("napari/layers/data", "napari-cowgan.evaluation"),
        ("napari/layers/data", "napari-cowgan.study"),
    ],
)
def test_every_panel_has_a_menu_entry_that_works(make_napari_viewer: Callable, menu, command):
    viewer = make_napari_viewer()
    app = get_app_model()
    entries = app.menus.get_menu(menu)
    assert command in {entry.command.id for entry in entries if hasattr(entry, "command")}
    app.commands.execute_command(command).result()
    assert len(viewer.window.dock_widgets) == 1


def test_the_reading_window_opens_from_the_menu(make_napari_viewer: Callable, monkeypatch):
    started = []
    processes = SimpleNamespace(
        DEVNULL=subprocess.DEVNULL,
        Popen=lambda command, **_: started.append(command) or SimpleNamespace(poll=lambda: 0),
    )
    monkeypatch.setattr("napari_cowgan.study.reading_process.subprocess", processes)
    make_napari_viewer()
    app = get_app_model()
    entries = app.menus.get_menu("napari/layers/data")
    command = "napari-cowgan.read_package"
    assert command in {entry.command.id for entry in entries if hasattr(entry, "command")}
    app.commands.execute_command(command).result()
    assert started == [[sys.executable, "-m", "napari_cowgan.reading"]]
