"""The Training panel with real runs: what a person does, and what goes wrong."""

import importlib.util
import os
import re
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import numpy as np
import pytest
import torch
from gui_events import click, drop
from napari._qt.widgets.qt_viewer_dock_widget import QtViewerDockWidget
from napari.components import ViewerModel
from qtpy.QtCore import Qt, QTimer
from qtpy.QtGui import QDesktopServices
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QInputDialog, QScrollArea
from training_banks import Tubes, make_bank, start
from training_panels import (
    ENDLESS,
    TINY,
    ended,
    folder_for_runs,
    fully_visible,
    lone_panel,
    message_of,
    wait,
)

from cowgan.bank.bank import Bank
from cowgan.checkpoint import load
from cowgan.networks import NetworkConfig
from cowgan.settings import setting_fields
from cowgan.training.config import TrainingConfig
from cowgan.training.remote_control import is_running, read_status
from cowgan.training.run import start_run
from cowgan.training.run_state import read_description
from cowgan.training.tensor_memory import MemoryEstimate
from cowgan.training.timing import StepTime, duration
from cowgan.volume import Volume, default_affine, write_nifti
from napari_cowgan.explorer.panel import LatentExplorer
from napari_cowgan.training import show_training_panel
from napari_cowgan.training.curves import smoothed
from napari_cowgan.training.new_run_group import NewRunGroup
from napari_cowgan.training.panel import TrainingPanel
from napari_cowgan.training.run_settings import run_config
from napari_cowgan.training.run_watcher import Sheet
from napari_cowgan.training.sample_layer import SampleLayer
from napari_cowgan.training.workbench import Workbench
from napari_cowgan.widgets.docked import DockedPanel
from napari_cowgan.widgets.remembered import remember, settings

KILL = signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> Path:
    return make_bank(tmp_path_factory.mktemp("bank") / "bank").path


@pytest.fixture(scope="module")
def finished_runs(bank: Path, tmp_path_factory) -> Path:
    """Return a folder with a finished run in it."""
    folder = tmp_path_factory.mktemp("finished_runs")
    settings = {"batch": 2, "accumulate": 1, "steps": 4, "save_every": 2, "sample_every": 2}
    config = run_config("modern", "Small", (16, 16), 1, 16, precision="fp32", **settings)
    # A mapping network whose statistics take a moment and not seconds.
    config = replace(config, network=replace(config.network, latent_dim=32, style_depth=2))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    start_run(folder / "first", Bank.open(bank), config, "cpu")
    torch.set_num_threads(threads)
    return folder


@pytest.fixture
def runs(tmp_path: Path, monkeypatch) -> Iterator[Path]:
    with folder_for_runs(tmp_path / "runs", monkeypatch) as folder:
        yield folder


@pytest.fixture
def panel(runs: Path, qtbot) -> Workbench:
    return lone_panel(qtbot)


@pytest.fixture
def docked_panel(viewer, runs: Path) -> Workbench:
    """Return a panel in a napari window."""
    return show_training_panel(viewer).workbench


def train(panel: Workbench, bank: Path, qtbot) -> None:
    """Start an endless run and wait until it has begun to learn."""
    begin(panel, bank, qtbot)
    wait(
        qtbot,
        lambda: panel.monitor.state == "training" and panel.monitor.curves.last_step > 0,
    )


def begin(panel: Workbench, volumes: Path, qtbot) -> None:
    panel.settings.data.volumes.set_path(volumes)
    wait(qtbot, panel.settings.start.isEnabled)
    click(panel.settings.start)


def answer(panel: Workbench, text: str) -> None:
    """Press a button of the question about the run."""
    (button,) = [one for one in panel.closing.question.buttons() if text in one.text()]
    click(button)


def test_an_empty_panel_says_what_to_do(panel):
    assert panel.monitor.empty.isVisible()
    assert not panel.monitor.curves.isVisible()
    assert "Choose a training bank" in panel.settings.data.found.text()
    assert not panel.settings.start.isEnabled()
    for button in (
        panel.runs.open,
        panel.runs.watch,
        panel.runs.resume,
        panel.runs.folder,
        panel.runs.board,
    ):
        assert not button.isEnabled()
    assert "no run" in panel.runs.details.text()


def test_a_run_is_started_watched_paused_stopped_resumed_and_killed(
    docked_panel, bank, viewer, runs, qtbot, problem
):
    train(docked_panel, bank, qtbot)
    run, monitor = runs / "modern-small-1", docked_panel.monitor
    assert monitor.name.text() == run.name
    assert not docked_panel.settings.start.isEnabled()
    assert not docked_panel.new_run_section.isExpanded()
    wait(qtbot, lambda: len(viewer.layers) == 1)
    (layer,) = viewer.layers
    assert layer.name == run.name
    first = layer.metadata["cowgan"]["step"]
    wait(qtbot, lambda: layer.metadata["cowgan"]["step"] > first)
    assert list(viewer.layers) == [layer], "the samples are one layer"
    assert layer.data.shape == (512, 512) and np.ptp(layer.data) > 0
    for fact, sign in (("Speed", "images/s"), ("Memory", "GB"), ("Device", "cpu")):
        assert sign in monitor.facts[fact].text()
    assert monitor.facts["Time left"].text() not in ("", "–")
    assert f"of {ENDLESS:,}" in monitor.bar.format()
    if sys.platform != "win32":
        assert os.getpriority(os.PRIO_PROCESS, read_status(run).pid) > 0

    click(monitor.pause)
    wait(qtbot, lambda: monitor.state == "paused")
    assert monitor.pause.text() == "Resume"
    step = read_status(run).step
    QTest.qWait(600)
    assert read_status(run).step == step
    click(monitor.pause)
    wait(qtbot, lambda: monitor.state == "training" and monitor.curves.last_step > step)

    click(monitor.stop)
    wait(qtbot, ended(docked_panel))
    assert monitor.state == "stopped"
    assert "the state is saved" in message_of(docked_panel)
    saved = read_description(run).counters.step
    assert saved == read_status(run).step > step
    assert not monitor.pause.isVisible() and not monitor.stop.isVisible()
    assert fully_visible(monitor.open) and fully_visible(monitor.resume)

    wait(qtbot, monitor.resume.isEnabled)
    click(monitor.resume)
    wait(qtbot, lambda: monitor.state == "training" and monitor.curves.last_step > saved)
    os.kill(read_status(run).pid, KILL)
    sentence = problem(docked_panel)
    assert sentence.endswith(f"(log: {run / 'train.log'}).")
    assert "\n" not in sentence
    assert message_of(docked_panel) == sentence
    assert monitor.state == "interrupted"
    if sys.platform != "win32":
        assert "was killed (SIGKILL)" in sentence
    wait(qtbot, docked_panel.settings.start.isEnabled)


def test_closing_asks_and_a_run_left_running_is_found_again(
    docked_panel, bank, viewer, runs, qtbot
):
    train(docked_panel, bank, qtbot)
    run = runs / "modern-small-1"
    for close in (viewer.window._qt_window.close, dock_of(docked_panel).title.close_button.click):
        close()
        close()
        answer(docked_panel, "Cancel")
        assert docked_panel.closing.question is None, "it is asked once at a time"
        QTest.qWait(50)
        assert docked_panel.isVisible() and docked_panel.monitor.state == "training"
    dock_of(docked_panel).title.close_button.click()
    answer(docked_panel, "Leave running")
    wait(qtbot, lambda: not is_shown(docked_panel))
    assert is_running(run)

    again = show_training_panel(viewer).workbench
    wait(qtbot, lambda: again.monitor.state == "training")
    assert again.monitor.name.text() == run.name
    click(again.monitor.stop)
    wait(qtbot, ended(again))
    assert read_status(run).state == "stopped"
    assert read_description(run).counters.step == read_status(run).step


def test_a_run_in_this_process_is_saved_when_the_window_closes(
    docked_panel, bank, viewer, runs, qtbot, single_threaded
):
    docked_panel.settings.advanced.place.choose("thread")
    train(docked_panel, bank, qtbot)
    run, window = runs / "modern-small-1", viewer.window._qt_window
    assert read_status(run).pid == os.getpid()
    window.close()
    assert "cannot continue without it" in docked_panel.closing.question.informativeText()
    assert not any("Leave" in button.text() for button in docked_panel.closing.question.buttons())
    answer(docked_panel, "Stop and save")
    wait(qtbot, lambda: not is_shown(window))
    # The fixture closes windows that are still there.
    del viewer.window._qt_window
    assert read_status(run).state == "stopped"
    assert read_description(run).counters.step == read_status(run).step
    wait(qtbot, lambda: not any(one.name == "cowgan-training" for one in threading.enumerate()))


def dock_of(widget) -> QtViewerDockWidget:
    while not isinstance(widget, QtViewerDockWidget):
        widget = widget.parentWidget()
    return widget


def is_shown(widget) -> bool:
    try:
        return widget.isVisible()
    except RuntimeError:
        return False


def test_a_model_opens_in_the_explorer_in_one_click(
    docked_panel, viewer, finished_runs, qtbot, settle, single_threaded, small_model
):
    remember("last_checkpoint", str(small_model))
    panel = docked_panel
    panel.settings.folders.runs.set_path(finished_runs)
    wait(qtbot, lambda: len(panel.runs.list.runs) == 1)
    (run,) = panel.runs.list.runs
    assert (run.state, run.step) == ("finished", 4)
    assert run.facts == ("Modern", "1 to 16 channels", "16 × 16 × 16")
    panel.runs.list.select(run.folder)
    click(panel.runs.open)

    def explorers() -> list[LatentExplorer]:
        return viewer.window._qt_window.findChildren(LatentExplorer)

    model = run.folder / "model-0000004.safetensors"
    wait(qtbot, lambda: explorers() and explorers()[0].model.checkpoint is not None)
    wait(qtbot, lambda: explorers()[0].model.checkpoint.path == model)
    settle(explorers()[0])
    assert load(model).config.volume_shape == (16, 16, 16)
    wait(qtbot, lambda: panel.runs.list.runs[0].models == (model,))
    assert "Model of step 4" in panel.runs.list.topLevelItem(0).child(0).text(0)


def test_a_finished_run_is_watched_and_made_longer(
    panel, finished_runs, qtbot, runs, single_threaded
):
    panel.settings.advanced.place.choose("thread")
    shutil.copytree(finished_runs / "first", runs / "first")
    panel.runs.refresh()
    wait(qtbot, lambda: len(panel.runs.list.runs) == 1)
    panel.runs.list.select(runs / "first")
    panel.runs.list.setFocus()
    QTest.keyClick(panel.runs.list, Qt.Key.Key_Return)
    wait(qtbot, lambda: panel.monitor.curves.last_step == 4)
    assert panel.monitor.state == "finished"
    wait(qtbot, panel.monitor.resume.isEnabled)
    assert fully_visible(panel.monitor.resume) and not panel.monitor.stop.isVisible()
    click(panel.monitor.resume)
    (dialog,) = panel.findChildren(QInputDialog)
    assert dialog.intValue() == 8
    dialog.setIntValue(6)
    dialog.accept()
    wait(
        qtbot,
        lambda: panel.monitor.state == "finished" and panel.monitor.curves.last_step == 6,
    )
    wait(qtbot, ended(panel))


def test_a_run_is_shown_in_full_in_the_narrowest_dock(docked_panel, finished_runs, qtbot):
    docked_panel.settings.folders.runs.set_path(finished_runs)
    docked_panel.watch(finished_runs / "first")
    wait(qtbot, lambda: docked_panel.runs.list.runs)
    docked_panel.monitor.facts["Device"].setText("NVIDIA H100 80GB HBM3, the third of eight")
    scroll = docked_panel.findChild(QScrollArea)
    QApplication.processEvents()
    margin = (
        docked_panel.parentWidget().width() - scroll.width() + scroll.verticalScrollBar().width()
    )
    assert scroll.widget().minimumSizeHint().width() + margin <= DockedPanel.least_width


def test_a_finished_run_grows(panel, finished_runs, qtbot, runs, tmp_path):
    shutil.copytree(finished_runs / "first", runs / "first")
    panel.watch(runs / "first")
    wait(qtbot, lambda: fully_visible(panel.monitor.open))
    assert not panel.monitor.grow.isEnabled(), "there is nothing finer to learn from"
    (tmp_path / "scans").mkdir()
    volume = Volume(np.random.default_rng(0).random((32, 32, 32)), default_affine((32, 32, 32)))
    write_nifti(volume, tmp_path / "scans" / "a.nii.gz")
    panel.settings.data.volumes.set_path(tmp_path / "scans")
    wait(qtbot, panel.monitor.grow.isEnabled)
    panel.settings.advanced.capacity.setValue(9)
    click(panel.monitor.grow)
    wait(qtbot, lambda: fully_visible(panel.settings.start))
    run = panel.settings.new_run(tmp_path)
    network = run.config.network
    assert (network.volume_shape, network.network_capacity) == ((32, 32, 32), 1)
    assert run.init_from == runs / "first"
    assert run.folder != runs / "first"


@pytest.mark.slow
def test_a_run_started_in_a_terminal_is_controlled_from_the_panel(panel, bank, runs, qtbot):
    process = start(
        *("train", "--bank", bank, "--out", runs / "mine", "--network-capacity", "1"),
        *("--fmap-max", "16", "--image-size", "16", "--depth", "16", "--batch", "2"),
        *("--steps", ENDLESS, "--device", "cpu"),
    )
    wait(qtbot, lambda: read_status(runs / "mine") is not None)
    wait(qtbot, lambda: read_status(runs / "mine").state == "training")
    panel.runs.refresh()
    wait(qtbot, lambda: panel.monitor.state == "training")
    click(panel.monitor.stop)
    wait(qtbot, ended(panel))
    process.communicate(timeout=30)
    assert read_status(runs / "mine").state == "stopped"


def test_a_folder_of_nifti_files_becomes_a_bank_first(
    panel, runs, tmp_path, qtbot, single_threaded
):
    panel.settings.advanced.place.choose("thread")
    scans = tmp_path / "scans"
    scans.mkdir()
    for number in range(6):
        write_nifti(Tubes(number).make(), scans / f"sub-{number}.nii.gz")
    assert drop(panel, scans)
    wait(qtbot, lambda: panel.settings.data.source is not None)
    assert "6 scans" in panel.settings.data.found.text()
    assert panel.settings.data.scaling.isVisible()
    assert panel.settings.voxels.currentText() == "16 × 16 × 16"
    panel.settings.steps.setValue(3)
    click(panel.settings.start)
    wait(qtbot, lambda: panel.monitor.state == "finished")
    wait(qtbot, ended(panel))
    assert panel.settings.data.volumes.path == runs / "modern-small-1-bank"
    # The list of runs, which the next free name follows from, is read in the background.
    wait(qtbot, lambda: panel.settings.folders.name.placeholderText() == "modern-small-2")


@pytest.mark.slow
def test_the_needs_of_a_run_are_measured_before_the_start(panel, bank, qtbot):
    settings, needs = panel.settings, panel.settings.needs
    settings.data.volumes.set_path(bank)
    wait(qtbot, lambda: settings.data.source is not None)
    settings.find_needs()
    wait(qtbot, lambda: re.match(r"Needs about 0\.\d GB of memory", needs.memory.text()))
    wait(qtbot, lambda: needs.button.text() == "Cancel")
    click(needs.button)
    assert "has not been measured" in needs.time.text()
    click(needs.button)
    wait(qtbot, lambda: re.match(r"A step takes about [\d.]+ m?s", needs.time.text()))
    assert f"so {ENDLESS:,} steps take about" in needs.time.text()


class Estimates:
    """Answers of the process that estimates, and what it has been asked."""

    def __init__(self, monkeypatch, needed_bytes: int = 1, free_bytes: int = 2) -> None:
        self.asked: list[str] = []
        self._memory = MemoryEstimate(needed_bytes, free_bytes)
        for name in ("memory", "step_time"):
            answer = getattr(self, name)
            monkeypatch.setattr(f"napari_cowgan.training.needs.{name}_apart", answer)

    def memory(self, *_: object) -> MemoryEstimate:
        self.asked.append("memory")
        return self._memory

    def step_time(self, *_: object) -> StepTime:
        self.asked.append("time")
        return StepTime(1.5, 0.0, 0.0, 4)


def test_too_little_memory_is_reported_before_the_start(panel, bank, qtbot, monkeypatch):
    estimates = Estimates(monkeypatch, 5_000_000_000, 2_000_000_000)
    settings, needs = panel.settings, panel.settings.needs
    settings.data.volumes.set_path(bank)
    wait(qtbot, lambda: settings.data.source is not None)
    settings.find_needs()
    wait(qtbot, lambda: "Needs about 5.0 GB of memory; 2.0 GB are free" in needs.memory.text())
    assert "lower the batch" in needs.memory.text()
    assert estimates.asked == ["memory"], "nothing is trained that does not fit"


def test_another_length_is_scaled_and_another_batch_is_measured(panel, bank, qtbot, monkeypatch):
    estimates = Estimates(monkeypatch)
    settings, needs = panel.settings, panel.settings.needs
    settings.data.volumes.set_path(bank)
    wait(qtbot, lambda: settings.data.source is not None)
    settings.steps.setValue(100)
    settings.find_needs()
    wait(qtbot, lambda: "100 steps take about 2 min" in needs.time.text())
    settings.steps.setValue(2_400)
    settings.find_needs()
    assert "2,400 steps take about 1 h" in needs.time.text()
    assert estimates.asked == ["memory", "time"]
    settings.batch.setValue(1)
    settings.find_needs()
    wait(qtbot, lambda: estimates.asked == ["memory", "time"] * 2)


def test_time_is_not_measured_during_a_run(panel, bank, qtbot, monkeypatch):
    estimates = Estimates(monkeypatch)
    settings, needs = panel.settings, panel.settings.needs
    settings.data.volumes.set_path(bank)
    wait(qtbot, lambda: settings.data.source is not None)
    needs.set_run_active(True)
    settings.find_needs()
    wait(qtbot, lambda: "while a run is in progress" in needs.time.text())
    assert estimates.asked == ["memory"]
    needs.set_run_active(False)
    wait(qtbot, lambda: "A step takes about 1.5 s" in needs.time.text())


def test_a_cancelled_measurement_is_not_repeated_unasked(panel, bank, qtbot, monkeypatch):
    estimates = Estimates(monkeypatch)
    free = threading.Event()
    monkeypatch.setattr(
        "napari_cowgan.training.needs.step_time_apart",
        lambda *of: free.wait(10) and estimates.step_time(*of),
    )
    settings, needs = panel.settings, panel.settings.needs
    settings.data.volumes.set_path(bank)
    wait(qtbot, lambda: settings.data.source is not None)
    settings.find_needs()
    wait(qtbot, lambda: needs.button.text() == "Cancel")
    click(needs.button)
    assert "has not been measured" in needs.time.text()
    settings.steps.setValue(100)
    settings.find_needs()
    assert needs.button.text() == "Measure"
    free.set()
    click(needs.button)
    wait(qtbot, lambda: "100 steps take" in needs.time.text())


def test_defaults_are_small_without_a_gpu(runs, qtbot, tmp_path, monkeypatch):
    for name in (*TINY, "size"):
        settings().remove(f"training/{name}")
    random = np.random.default_rng(0)
    (tmp_path / "scans").mkdir()
    volume = Volume(random.random((32, 64, 64)), default_affine((32, 64, 64)))
    write_nifti(volume, tmp_path / "scans" / "a.nii.gz")
    found = {}
    for gpu in (False, True):
        monkeypatch.setattr("torch.cuda.is_available", lambda gpu=gpu: gpu)
        group = NewRunGroup()
        qtbot.addWidget(group)
        group.data.volumes.set_path(tmp_path / "scans")
        wait(qtbot, lambda group=group: group.data.source is not None)
        found[gpu] = (
            group.preset.chosen,
            group.voxels.currentData(),
            group.advanced.capacity.value(),
        )
    assert found[False] == ("projected", (32, 32), 16)
    assert found[True] == ("modern", (32, 64), 8)


def test_folders_without_scans_are_reported_at_once(panel, tmp_path, qtbot):
    found = panel.settings.data.found
    panel.settings.data.volumes.set_path(tmp_path / "nowhere")
    wait(qtbot, lambda: "does not exist" in found.text())
    (tmp_path / "empty").mkdir()
    panel.settings.data.volumes.set_path(tmp_path / "empty")
    wait(qtbot, lambda: "There are no scans" in found.text())
    assert not panel.settings.start.isEnabled()


def test_a_folder_that_cannot_be_written_is_reported_in_one_sentence(
    panel, bank, tmp_path, qtbot, problem
):
    (tmp_path / "file").touch()
    panel.settings.folders.runs.set_path(tmp_path / "file")
    begin(panel, bank, qtbot)
    assert str(tmp_path / "file") in problem(panel)
    wait(qtbot, panel.settings.start.isEnabled)
    panel.settings.folders.runs.set_path(tmp_path)
    panel.settings.folders.name.setText("a/b")
    click(panel.settings.start)
    assert "without slashes" in problem(panel)


def test_a_run_that_fails_says_why(panel, bank, runs, qtbot, problem):
    panel.settings.init_from.set_path(runs / "no-model.pt")
    begin(panel, bank, qtbot)
    sentence = problem(panel)
    assert "no-model.pt" in sentence and "train.log" in sentence
    wait(qtbot, ended(panel))
    assert panel.monitor.bar.maximum() > 0, "the bar has stopped"
    assert panel.settings.start.isEnabled()


def test_a_missing_package_is_reported_in_one_sentence(runs, monkeypatch, qtbot):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "napari_cowgan.training.panel.find_spec",
        lambda name: None if name == "efficientnet_lite_pytorch" else find(name),
    )
    panel = TrainingPanel(ViewerModel())
    qtbot.addWidget(panel)
    assert "efficientnet_lite_pytorch" in panel.missing.text()
    assert "napari-cowgan[train]" in panel.missing.text()


def test_the_command_can_be_copied(panel, bank, runs, qtbot):
    panel.settings.data.volumes.set_path(bank)
    wait(qtbot, panel.settings.copy.isEnabled)
    click(panel.settings.copy)
    command = QApplication.clipboard().text()
    assert command.startswith("cowgan train --bank ")
    assert f"--out {runs / 'modern-small-1'}" in command
    assert "--network-capacity 1 --fmap-max 16 --batch 2" in command


def test_fields_explain_settings_as_the_command_line_does(panel):
    settings, advanced = panel.settings, panel.settings.advanced
    own = {"batch": settings.batch, "steps": settings.steps, "seed": advanced.seed}
    for name in ("accumulate", "save_every", "sample_every", "precision"):
        own[name] = getattr(advanced, name)
    fields = setting_fields(TrainingConfig)
    assert {name: field.toolTip() for name, field in own.items()} == {
        name: fields[name].setting.text for name in own
    }
    assert (settings.batch.minimum(), settings.batch.maximum()) == (1, 4096)
    network = setting_fields(NetworkConfig)
    assert advanced.capacity.toolTip() == network["network_capacity"].setting.text
    assert advanced.most_channels.toolTip() == network["fmap_max"].setting.text


def test_settings_are_remembered(panel, qtbot):
    panel.settings.batch.setValue(5)
    panel.settings.network.choose("Large")
    panel.monitor.curves.chart.choose("speed")
    again = Workbench(ViewerModel())
    qtbot.addWidget(again)
    assert again.settings.batch.value() == 5
    assert again.settings.network.chosen == "Large"
    assert again.monitor.curves.chart.chosen == "speed"


def test_a_recipe_brings_its_own_batch_and_a_network_its_own_channels(panel):
    panel.settings.preset.choose("paper")
    panel.settings.preset.activated.emit(0)
    assert (panel.settings.batch.value(), panel.settings.advanced.accumulate.value()) == (8, 4)
    panel.settings.network.choose("Large")
    panel.settings.network.activated.emit(0)
    assert (
        panel.settings.advanced.capacity.value(),
        panel.settings.advanced.most_channels.value(),
    ) == (16, 1024)


def test_curves_follow_theme_scale_and_smoothing(panel):
    curves = panel.monitor.curves
    panel.monitor.begin(Path("run"), "generator")
    curves.add([{"step": n, "generator": 2.0 * (-1) ** n, "discriminator": n} for n in range(1, 9)])
    assert [label.text for _, label in curves.legend.items] == ["Discriminator", "Generator"]
    dark = curves.plot.backgroundBrush().color().lightnessF()
    curves._viewer.theme = "light"
    assert curves.plot.backgroundBrush().color().lightnessF() > dark
    assert not curves.omitted.isVisible()
    curves.logarithmic.click()
    assert "generator" in curves.omitted.text()
    assert "discriminator" not in curves.omitted.text()
    assert curves.plot.getAxis("bottom").labelText == "Step"
    assert curves.plot.getAxis("left").labelText == "Loss"


def test_axes_show_numbers_as_they_are(panel, qtbot):
    curves = panel.monitor.curves
    panel.monitor.begin(Path("run"), "generator")
    curves.add([{"step": 100 * n, "coverage": 0.5 + 0.01 * n} for n in range(40)], restarted=True)
    curves.chart.choose("coverage")
    QTest.qWait(100)
    curves.redraw()
    axis = curves.plot.getAxis("left")
    assert axis.tickStrings([0.5], axis.autoSIPrefixScale * axis.scale, 0.1) == ["0.5"]


def test_smoothing_averages_with_what_came_before():
    values = np.array([1.0, 3.0, 5.0])
    assert np.array_equal(smoothed(values, 0), values)
    expected = [1, (3 + 0.5) / 1.5, (5 + 1.5 + 0.25) / 1.75]
    assert smoothed(values, 0.5) == pytest.approx(expected)


def test_samples_are_added_beside_other_layers():
    viewer = ViewerModel()
    volume = viewer.add_image(np.zeros((4, 30, 20)), scale=(1, 2, 2))
    samples = SampleLayer(viewer).show("run", Sheet(7, np.zeros((512, 512), np.uint8)))
    low, high = samples.extent.world[:, -2:]
    assert low[1] > volume.extent.world[1, 2]
    assert high[0] - low[0] == pytest.approx(np.ptp(volume.extent.world[:, 1]), rel=0.05)


@pytest.mark.slow
def test_tensorboard_shows_a_run(panel, finished_runs, qtbot, monkeypatch):
    pytest.importorskip("tensorboard")
    opened: list[str] = []

    def browse(url) -> bool:
        opened.append(url.toString())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", browse)
    panel.settings.folders.runs.set_path(finished_runs)
    wait(qtbot, lambda: len(panel.runs.list.runs) == 1)
    panel.runs.list.select(finished_runs / "first")
    click(panel.runs.folder)
    assert opened == [(finished_runs / "first").as_uri()]
    click(panel.runs.board)
    wait(qtbot, lambda: len(opened) == 2)
    with urlopen(opened[1], timeout=10) as page:
        assert b"TensorBoard" in page.read()
    panel._tensorboard.stop()
    with pytest.raises(OSError), socket.create_connection(_address(opened[1]), timeout=1):
        pass


def test_tensorboard_that_is_not_installed_is_reported_in_one_sentence(
    panel, finished_runs, qtbot, monkeypatch, problem
):
    monkeypatch.setattr("napari_cowgan.training.tensorboard_server.find_spec", lambda name: None)
    panel.settings.folders.runs.set_path(finished_runs)
    wait(qtbot, lambda: len(panel.runs.list.runs) == 1)
    panel.runs.list.select(finished_runs / "first")
    click(panel.runs.board)
    assert "not installed" in problem(panel)


def _address(url: str) -> tuple[str, int]:
    host, port = url.removeprefix("http://").rstrip("/").split(":")
    return host, int(port)


def test_the_window_responds_while_a_run_trains(docked_panel, bank, viewer, qtbot):
    """Compare with the same window while the run is paused, as the machine may be busy."""
    docked_panel.settings.advanced.sample_every.setValue(20)
    train(docked_panel, bank, qtbot)
    wait(qtbot, lambda: len(viewer.layers) == 1)
    at_work = min(_lateness_ms() for _ in range(2))
    click(docked_panel.monitor.pause)
    wait(qtbot, lambda: docked_panel.monitor.state == "paused")
    assert at_work < max(100, 3 * _lateness_ms())
    click(docked_panel.monitor.stop)
    wait(qtbot, ended(docked_panel))


def _lateness_ms(seconds: float = 2.0) -> float:
    """Return the 95th percentile of how late the event loop gets to a timer."""
    late, last = [], time.perf_counter()

    def tick() -> None:
        nonlocal last
        now = time.perf_counter()
        late.append(1000 * (now - last) - 10)
        last = now

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(tick)
    timer.start(10)
    QTest.qWait(int(1000 * seconds))
    timer.stop()
    return float(np.percentile(late, 95))


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "0.4 s"),
        (59, "59 s"),
        (61, "1 min 1 s"),
        (2800, "46 min"),
        (7200, "2 h"),
        (90_000, "1 d 1 h"),
    ],
)
def test_durations_have_two_units(seconds, words):
    assert duration(seconds) == words
