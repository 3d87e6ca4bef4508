"""The Evaluation panel on real files: what a person does, and what goes wrong."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from evaluation_folders import COUNT, write_evaluation_of, write_people
from gui_events import click, drop
from gui_menus import choose, close_panel
from pretrained_files import write_medicalnet
from qtpy.QtCore import Qt
from qtpy.QtGui import QDesktopServices
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton, QPushButton

from cowgan.errors import Cancelled
from cowgan.evaluation.stored_evaluation import read_evaluation
from cowgan.features.weights_files import default_folder
from napari_cowgan.evaluation.evaluation_process import StageReport
from napari_cowgan.evaluation.pair_list import PairList
from napari_cowgan.evaluation.panel import EvaluationPanel
from napari_cowgan.widgets.docked import find_panel
from napari_cowgan.widgets.remembered import remember

LONGEST_S = 400


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_people(tmp_path_factory.mktemp("sets") / "real", 0)


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_people(tmp_path_factory.mktemp("sets") / "generated", 100)


@pytest.fixture
def earlier(real: Path, generated: Path, tmp_path: Path) -> Path:
    return write_evaluation_of(real, generated, tmp_path / "earlier")


@pytest.fixture
def panel(viewer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EvaluationPanel:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    remember("evaluation/jobs", 1)
    remember("evaluation/origin", "folder")
    choose(viewer, "Plugins", "CoW-GAN", "Evaluation")
    return find_panel(viewer, EvaluationPanel)


@pytest.fixture
def finish(qtbot) -> Callable[[EvaluationPanel], None]:
    return lambda panel: qtbot.waitUntil(
        lambda: not panel.job.running and not panel.reading.running, timeout=1000 * LONGEST_S
    )


def told(panel: EvaluationPanel) -> str:
    return panel.message.text().replace("\u200b", "") if panel.message.isVisible() else ""


def fill(panel: EvaluationPanel, real: Path, generated: Path, out: Path | None = None) -> None:
    assert drop(panel.request.real, real)
    assert drop(panel.request.folder, generated)
    if out is not None:
        panel.request.out.set_path(out)


def choose_row(pairs: PairList, row: int) -> None:
    place = pairs.visualItemRect(pairs.topLevelItem(row)).center()
    QTest.mouseClick(pairs.viewport(), Qt.MouseButton.LeftButton, pos=place)


def names_in(viewer) -> list[str]:
    return [layer.name for layer in viewer.layers]


def test_an_empty_panel_says_what_to_do_and_offers_nothing_else(panel):
    assert "press Evaluate" in told(panel).replace("\n", " ")
    assert not panel.start.isEnabled()
    assert not panel.result.isVisible() and not panel.job.isVisible()


def until_features_are_found(panel: EvaluationPanel, qtbot) -> None:
    reported = []
    panel.job._job.progressed.connect(lambda done, *_: reported.append(done))
    qtbot.waitUntil(lambda: max(reported, default=0) > 0, timeout=1000 * LONGEST_S)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_volumes_are_evaluated_even_if_it_was_cancelled_before(
    panel, viewer, generated, tmp_path, qtbot, finish
):
    real = write_people(tmp_path / "real", 0, 20)
    panel.request.origin.choose("bundled")
    assert not panel.start.isEnabled(), "real volumes are needed"
    panel.request.origin.choose("folder")
    fill(panel, real, generated, tmp_path / "found")
    panel.request.published["medicalnet"].setChecked(True)
    click(panel.start)
    finish(panel)
    assert "resnet_10_23dataset.pth could not be downloaded" in told(panel)
    write_medicalnet(default_folder())
    click(panel.start)
    assert panel.job.isVisible() and not panel.start.isEnabled()
    until_features_are_found(panel, qtbot)
    assert panel.stage.text().startswith("Appearance: ")
    click(panel.job.findChild(QAbstractButton))
    finish(panel)
    assert "Cancelled" in told(panel) and "kept" in told(panel)
    assert list((tmp_path / "cache").rglob("*.npz"))
    assert not (tmp_path / "found").exists()

    click(panel.start)
    stages = set()
    panel.job._job.found.connect(stages.add)
    finish(panel)
    assert told(panel) == ""
    assert "Writing the report" in stages
    assert read_evaluation(tmp_path / "found").generated == str(generated)
    page = panel.result.evaluation.page.read_text(encoding="utf-8")
    assert "AUC-PRD" in page and "MedicalNet ResNet-10" in page
    assert panel.result.isVisible()
    assert panel.result.measures.table.topLevelItemCount() == 8
    rows = panel.result.realism
    numbers = [float(rows.topLevelItem(row).text(2)) for row in range(rows.topLevelItemCount())]
    assert numbers == sorted(numbers) and len(numbers) == COUNT
    assert not panel.result.similar.isVisibleTo(panel.result.lists)
    choose_row(rows, 0)
    finish(panel)
    assert [name.split(":")[0] for name in names_in(viewer)] == ["Generated", "Training"]


def test_an_earlier_evaluation_is_opened_and_its_pairs_shown_once(
    panel, viewer, earlier, finish, monkeypatch
):
    assert drop(panel, earlier)
    assert "can be told" in panel.result.verdict.findChildren(type(panel.message))[0].text()
    assert "12 volumes on each side" in panel.result.warnings.text()
    choose_row(panel.result.realism, 0)
    finish(panel)
    first = list(viewer.layers)
    assert names_in(viewer) == ["Generated: sub-111", "Training: sub-011"]
    assert viewer.canvas.grid.enabled
    assert all(layer.metadata["cowgan"]["provenance"] for layer in first)

    QTest.keyClick(panel.result.realism, Qt.Key.Key_Return)
    finish(panel)
    assert list(viewer.layers) == first, "a pair that is shown is not added again"
    first[0].contrast_limits = (0.1, 0.5)
    assert tuple(first[1].contrast_limits) == (0.1, 0.5)

    QTest.keyClick(panel.result.realism, Qt.Key.Key_Down)
    QTest.keyClick(panel.result.realism, Qt.Key.Key_Return)
    finish(panel)
    assert names_in(viewer) == ["Generated: sub-110", "Training: sub-010"]
    assert tuple(viewer.layers[1].contrast_limits) == (0.1, 0.5)

    panel.result.lists.setCurrentIndex(1)
    choose_row(panel.result.similar, 0)
    finish(panel)
    assert names_in(viewer) == ["Generated: sub-100", "Training: sub-000"]

    opened = []
    monkeypatch.setattr(
        QDesktopServices, "openUrl", lambda url: opened.append(Path(url.toLocalFile())) or True
    )
    click(panel.result.report)
    click(panel.result.folder)
    assert opened == [earlier / "report.html", earlier]


def test_volumes_that_are_gone_are_named_and_the_result_stays(
    panel, viewer, real, generated, tmp_path, finish
):
    moved = Path(shutil.copytree(generated, tmp_path / "moved"))
    earlier = write_evaluation_of(real, moved, tmp_path / "earlier")
    panel.open_evaluation(earlier)
    (moved / "sub-111.nii.gz").unlink()
    choose_row(panel.result.realism, 0)
    finish(panel)
    assert told(panel) == f"sub-111 is no longer in {moved}."
    assert names_in(viewer) == []
    choose_row(panel.result.realism, 1)
    finish(panel)
    assert len(viewer.layers) == 2
    assert told(panel) == ""


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "holds no evaluation"), ("{}", "damaged"), ("[", "damaged")],
)
def test_a_folder_that_is_no_evaluation_leaves_the_present_one(
    panel, earlier, tmp_path, content, sentence
):
    panel.open_evaluation(earlier)
    other = tmp_path / "other"
    other.mkdir()
    if content is not None:
        (other / "report.json").write_text(content, encoding="utf-8")
    panel.open_evaluation(other)
    assert sentence in told(panel)
    assert panel.result.evaluation.folder == earlier


def test_wrong_input_is_one_sentence_and_the_result_stays(panel, real, earlier, tmp_path, finish):
    panel.open_evaluation(earlier)
    fill(panel, real, tmp_path, earlier)
    click(panel.start)
    finish(panel)
    assert told(panel).startswith(f"{earlier} holds an evaluation already")

    given = tmp_path / "given"
    given.mkdir()
    shutil.copy(next(real.glob("*.nii.gz")), given)
    fill(panel, real, given, tmp_path / "out")
    click(panel.start)
    finish(panel)
    assert "at least 12 generated volumes" in told(panel)
    assert panel.result.isVisible() and panel.start.isEnabled()
    assert not (tmp_path / "out").exists()


def test_closing_asks_while_an_evaluation_runs(
    viewer, panel, real, generated, tmp_path, qtbot, monkeypatch
):
    monkeypatch.setattr(
        "napari_cowgan.evaluation.tasks._run", lambda task, progress: reports(progress)
    )
    fill(panel, real, generated, tmp_path / "out")
    click(panel.start)
    close_panel(panel)
    assert panel.isVisible()
    panel.question.reject()
    QTest.qWait(100)
    assert panel.job.running
    close_panel(panel)
    click(next(b for b in panel.question.findChildren(QPushButton) if "Cancel" in b.text()))
    qtbot.waitUntil(lambda: find_panel(viewer, EvaluationPanel) is None, timeout=10_000)


def reports(progress):
    while not progress.cancelled:
        yield StageReport("Waiting", 1, 2)
        time.sleep(0.02)
    raise Cancelled


def test_everything_is_remembered_and_a_new_folder_is_suggested(viewer, panel, real, generated):
    fill(panel, real, generated)
    panel.request.psi_sweep.setChecked(True)
    panel.request.published["medicalnet"].setChecked(True)
    suggested = real.parent / "evaluation-1"
    assert panel.request.task().out == suggested
    assert suggested.name in panel.request.out.line.placeholderText()
    viewer.window.remove_dock_widget(panel)
    choose(viewer, "Plugins", "CoW-GAN", "Evaluation")
    again = find_panel(viewer, EvaluationPanel).request
    assert again.task().published == ("medicalnet",)
    request = again.task().request
    assert (request.real, request.generated, request.count) == (real, generated, None)
    assert not request.psi_sweep, "there is nothing to sweep in a folder"
    again.origin.choose("bundled")
    assert again.task().request.psi_sweep
    assert (again.task().request.generated, again.task().request.count) == (None, 200)


def test_a_dropped_model_and_folder_are_chosen(panel, real, tmp_path, small_model):
    assert drop(panel, real)
    assert drop(panel, small_model)
    request = panel.request.task().request
    assert (request.real, request.generated) == (real, small_model)
    assert panel.request.model.isVisible() and not panel.request.folder.isVisible()
