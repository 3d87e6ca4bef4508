"""An explorer on a small model, in a real window with fresh settings."""

from collections.abc import Callable
from pathlib import Path

import pytest
from qtpy.QtWidgets import QMessageBox

from cowgan.checkpoint import Checkpoint, save
from cowgan.networks import NetworkConfig
from napari_cowgan.explorer import show_explorer
from napari_cowgan.explorer.panel import LatentExplorer
from napari_cowgan.settings import remember, settings

SMALL = NetworkConfig(32, 16, 4, 32, latent_dim=32, style_depth=2)


@pytest.fixture(autouse=True)
def fresh_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings().clear()
    for module in ("settings", "explorer.favourites", "explorer.direction_group"):
        monkeypatch.setattr(f"napari_cowgan.{module}.data_folder", lambda: tmp_path / "kept")


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "small.safetensors"
    save(Checkpoint.random(SMALL, seed=5), path)
    return path


@pytest.fixture(scope="session")
def other_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / "other.safetensors"
    save(Checkpoint.random(SMALL, seed=6), path)
    return path


@pytest.fixture
def viewer(make_napari_viewer):
    viewer = make_napari_viewer(show=True)
    viewer.window.activate()
    return viewer


@pytest.fixture
def explorer(viewer, small_model: Path, settle: Callable[..., None]) -> LatentExplorer:
    remember("last_checkpoint", str(small_model))
    widget = show_explorer(viewer)
    settle(widget, directions=True)
    return widget


@pytest.fixture
def settle(qtbot) -> Callable[..., None]:
    """Wait until an explorer shows what its state says."""

    def wait(explorer: LatentExplorer, directions: bool = False) -> None:
        qtbot.waitUntil(
            lambda: (
                explorer.showing_complete_volume
                and (bool(explorer.directions.rows) or not directions)
            ),
            timeout=60_000,
        )

    return wait


@pytest.fixture
def problem(qtbot) -> Callable[[object], str]:
    """Wait for the dialog that tells a problem, close it, and return its sentence."""

    def wait(parent) -> str:
        qtbot.waitUntil(lambda: bool(_open_boxes(parent)), timeout=20_000)
        (box,) = _open_boxes(parent)
        text = box.text()
        box.close()
        return text

    return wait


def _open_boxes(parent) -> list[QMessageBox]:
    return [box for box in parent.findChildren(QMessageBox) if box.isVisible()]
