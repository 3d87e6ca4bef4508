"""An explorer on a small model, in a real window with fresh settings."""

import gc
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import reading_windows
from napari.components import ViewerModel
from napari.qt import QtViewer
from napari.utils.action_manager import action_manager
from npe2 import PluginManifest
from qtpy.QtCore import QEvent, QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QApplication, QMessageBox

from cowgan.checkpoint import Checkpoint, load, save
from cowgan.latent import default_directions, save_directions
from cowgan.networks import NetworkConfig
from cowgan.synthesis import Synthesizer
from napari_cowgan.explorer import show_explorer
from napari_cowgan.explorer.last_session import LastSession
from napari_cowgan.explorer.panel import LatentExplorer
from napari_cowgan.help import topics
from napari_cowgan.help.topics import Topic
from napari_cowgan.reading.window import ReadingWindow
from napari_cowgan.widgets.remembered import remember, settings

SMALL = NetworkConfig(32, 16, 2, 8, latent_dim=32, style_depth=2)


@pytest.fixture(scope="session", autouse=True)
def _imports_are_no_garbage(qapp) -> Iterator[None]:
    """Spare what was imported from the collections with which each viewer and layer ends."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(scope="session", autouse=True)
def _manifests_are_read_once() -> Iterator[None]:
    """Spare each viewer the manifests of all plugins, which stay the same."""
    found = list(PluginManifest.discover())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PluginManifest, "discover", lambda *_, **__: iter(found))
        yield


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give every test settings and a data folder of its own."""
    settings().clear()
    folder = tmp_path / "kept"
    for module in (
        "widgets.remembered",
        "explorer.kept_files",
        "explorer.last_session",
    ):
        monkeypatch.setattr(f"napari_cowgan.{module}.data_folder", lambda: folder)
    monkeypatch.setattr(LastSession, "_decided", False)
    # Segmenting each volume would take longer than rendering it.
    remember("measure_arteries", False)
    return folder


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
    # Actions keep the first application they were called in; each test has one of its own.
    for action in action_manager._actions.values():
        action.__dict__.pop("injected", None)
    viewer = make_napari_viewer(show=True)
    viewer.window.activate()
    return viewer


@pytest.fixture(scope="session")
def small_directions(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file of directions, found only once because the search is slow."""
    checkpoint = load(small_model)
    path = tmp_path_factory.mktemp("directions") / f"{checkpoint.sha256}.safetensors"
    save_directions(path, default_directions(Synthesizer(checkpoint), per_group=2), checkpoint)
    return path


@pytest.fixture
def directions_kept(small_model: Path, small_directions: Path, data_folder: Path) -> None:
    """Let explorers open the small model, with its directions."""
    kept = data_folder / "directions"
    kept.mkdir(parents=True)
    shutil.copy(small_directions, kept)
    remember("last_checkpoint", str(small_model))


@pytest.fixture
def docked_explorer(viewer, directions_kept: None, open_explorer) -> LatentExplorer:
    """Return an explorer in a napari window that shows seed 0 of the small model."""
    return open_explorer(viewer, directions=True)


@pytest.fixture
def explorer(docked_explorer: LatentExplorer) -> LatentExplorer:
    """Return an explorer; files whose tests need no napari window take the lone one."""
    return docked_explorer


@pytest.fixture
def lone_explorer(directions_kept: None, qtbot, settle) -> LatentExplorer:
    """Return an explorer that stands alone and shows seed 0 of the small model."""
    explorer = LatentExplorer(ViewerModel())
    qtbot.addWidget(explorer)
    explorer.resize(400, 900)
    explorer.show()
    explorer.activateWindow()
    qtbot.waitUntil(explorer.isActiveWindow)
    settle(explorer, directions=True)
    return explorer


@pytest.fixture
def open_explorer(qtbot, settle) -> Callable[..., LatentExplorer]:
    """Open the explorer of a viewer and wait until it shows a volume."""

    def open_in(viewer, directions: bool = False) -> LatentExplorer:
        panel = show_explorer(viewer)
        qtbot.waitUntil(lambda: panel.explorer is not None, timeout=20_000)
        settle(panel.explorer, directions)
        return panel.explorer

    return open_in


@pytest.fixture
def settle(qtbot) -> Callable[..., None]:
    """Wait until an explorer shows its current state."""

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
    """Wait for the error dialog, close it, and return its sentence."""

    def wait(parent) -> str:
        qtbot.waitUntil(lambda: bool(_open_boxes(parent)), timeout=20_000)
        (box,) = _open_boxes(parent)
        text = box.text()
        box.close()
        return text

    return wait


@pytest.fixture
def browsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Topic]:
    """Replace pages and browser; return the topics whose pages are opened."""
    pages = tmp_path / "pages"
    for topic in Topic:
        page = pages / f"{topic}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.touch()
    opened: list[Topic] = []

    def open_url(url: QUrl) -> bool:
        opened.append(Topic(Path(url.toLocalFile()).relative_to(pages).with_suffix("").as_posix()))
        return True

    monkeypatch.setattr(topics, "PAGES", pages)
    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
    return opened


def _open_boxes(parent) -> list[QMessageBox]:
    return [box for box in parent.findChildren(QMessageBox) if box.isVisible()]


@pytest.fixture
def short_blank(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the screen blank for a moment only."""
    monkeypatch.setattr("napari_cowgan.reading.presenter.BLANK_S", 0.02)


@pytest.fixture
def windows(qapp, short_blank) -> Iterator[Callable[[Path], ReadingWindow]]:
    """Return a function that opens a package in a reading window."""
    opened: list[ReadingWindow] = []
    # A canvas that is collected while another one draws takes the process down.
    gc.disable()

    def open_package(package: Path) -> ReadingWindow:
        opened.append(reading_windows.open_window(package))
        return opened[-1]

    yield open_package
    for window in opened:
        window.close()
        window.deleteLater()
        # pytest holds the window for longer than its canvas may stay.
        vars(window).clear()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    gc.collect()
    gc.enable()
    # napari's fixture lets no test begin while Python still holds a canvas of another, deleted
    # or not; Qt's connections hold the last one for a while.
    QtViewer._instances.clear()


@pytest.fixture(scope="session")
def package_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Freeze a study only once; nobody reads this package."""
    return reading_windows.make_package(tmp_path_factory.mktemp("study"))


@pytest.fixture
def package(package_template: Path, tmp_path: Path) -> Path:
    """Return a package of 2 cases to practise with and 10 to read."""
    return Path(shutil.copytree(package_template, tmp_path / "sub-R01"))


@pytest.fixture
def window(windows, package: Path) -> ReadingWindow:
    """Return a reading window that shows the first instructions."""
    return windows(package)
