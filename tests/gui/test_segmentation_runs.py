"""Runs of segmentation networks in the Training panel."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from gui_events import click
from qtpy.QtWidgets import QApplication, QInputDialog
from segmentation_cases import tiny_config
from training_banks import LabelledTubes, make_bank, start
from training_panels import ENDLESS, ended, folder_for_runs, lone_panel, message_of, wait

from cowgan.segmentation.case_source import CaseSource
from cowgan.segmentation.segmentation_run import read_segmentation_state, train_segmenter
from cowgan.training.config_files import write_config
from cowgan.training.remote_control import read_status
from napari_cowgan.training.workbench import Workbench

CONFIG = tiny_config(steps=4, patch_xy=16, validate_every=2, holdout=0.5, seed=2)


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> Path:
    return make_bank(tmp_path_factory.mktemp("bank") / "bank", kind=LabelledTubes).path


@pytest.fixture(scope="module")
def finished_run(bank: Path, tmp_path_factory) -> Path:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    folder, source = tmp_path_factory.mktemp("finished") / "arteries", CaseSource.of(bank=bank)
    train_segmenter(folder, source.read(), CONFIG, "cpu", source=source)
    torch.set_num_threads(threads)
    return folder


@pytest.fixture
def runs(tmp_path: Path, monkeypatch) -> Iterator[Path]:
    with folder_for_runs(tmp_path / "runs", monkeypatch) as folder:
        yield folder


@pytest.fixture
def panel(runs: Path, qtbot) -> Workbench:
    return lone_panel(qtbot)


def legend(panel: Workbench) -> list[str]:
    return [label.text for _, label in panel.monitor.curves.legend.items]


def test_a_finished_run_is_listed_watched_and_made_longer(
    panel, finished_run, runs, qtbot, single_threaded
):
    run = runs / "arteries"
    shutil.copytree(finished_run, run)
    panel.settings.advanced.place.choose("thread")
    panel.runs.refresh()
    wait(qtbot, lambda: panel.runs.list.runs)
    panel.runs.list.select(run)
    assert "Segmentation · 6 8 8 channels · patches of 8 × 16 × 16" in panel.runs.details.text()
    assert panel.runs.list.topLevelItem(0).child(0).text(0) == "Segmentation network"
    click(panel.runs.watch)
    wait(qtbot, lambda: panel.monitor.curves.last_step == 4)
    assert panel.monitor.state == "finished"
    assert legend(panel) == ["Loss"]
    panel.monitor.curves.chart.choose("arteries")
    assert set(legend(panel)) == {"left", "right"}
    assert not panel.monitor.grow.isVisible()
    wait(qtbot, panel.monitor.resume.isEnabled)
    click(panel.monitor.resume)
    (dialog,) = panel.findChildren(QInputDialog)
    dialog.setIntValue(6)
    dialog.accept()
    wait(
        qtbot,
        lambda: panel.monitor.state == "finished" and panel.monitor.curves.last_step == 6,
    )
    wait(qtbot, ended(panel))
    assert read_segmentation_state(run).step == 6


@pytest.mark.slow
def test_a_run_of_a_terminal_is_found_stopped_and_continued(panel, bank, runs, tmp_path, qtbot):
    write_config(CONFIG.with_changes(steps=ENDLESS), tmp_path / "config.toml")
    run = runs / "mine"
    process = start(
        *("segment", "train", "--bank", bank, "--out", run, "--device", "cpu"),
        *("--config", tmp_path / "config.toml"),
    )
    wait(qtbot, lambda: read_status(run) is not None and read_status(run).state == "training")
    panel.runs.refresh()
    wait(qtbot, lambda: panel.monitor.curves.last_step > 0)
    assert legend(panel) == ["Loss"]
    click(panel.monitor.stop)
    wait(qtbot, ended(panel))
    process.communicate(timeout=30)
    saved = read_segmentation_state(run).step
    assert f"Stopped at step {saved:,}" in message_of(panel)

    wait(qtbot, panel.monitor.resume.isEnabled)
    click(panel.monitor.resume)
    wait(qtbot, lambda: panel.monitor.state == "training")
    wait(qtbot, lambda: panel.monitor.curves.last_step > saved)
    click(panel.monitor.stop)
    wait(qtbot, ended(panel))
    assert read_segmentation_state(run).step == read_status(run).step > saved


def test_a_run_whose_bank_is_gone_says_so(panel, bank, runs, qtbot, problem):
    copy = shutil.copytree(bank, runs.parent / "copy")
    source = CaseSource.of(bank=copy)
    train_segmenter(runs / "lost", source.read(), CONFIG, "cpu", source=source)
    shutil.rmtree(copy)
    panel.runs.refresh()
    wait(qtbot, lambda: panel.runs.list.runs)
    panel.runs.list.select(runs / "lost")
    wait(qtbot, panel.runs.resume.isEnabled)
    click(panel.runs.resume)
    (dialog,) = panel.findChildren(QInputDialog)
    dialog.accept()
    assert str(copy) in problem(panel)
    wait(qtbot, ended(panel))
    assert panel.monitor.state == "failed"


def test_the_path_of_a_finished_run_can_be_copied(panel, finished_run, qtbot):
    panel.settings.folders.runs.set_path(finished_run.parent)
    wait(qtbot, lambda: panel.runs.list.runs)
    panel.runs.list.select(finished_run)
    wait(qtbot, panel.runs.open.isEnabled)
    click(panel.runs.open)
    assert QApplication.clipboard().text() == str(finished_run)
