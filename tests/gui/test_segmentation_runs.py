"""Runs of segmentation networks in the Training panel."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from gui_events import click, drop
from qtpy.QtWidgets import QApplication, QInputDialog
from segmentation_cases import TINY, StopAt, tiny_config
from training_banks import LabelledTubes, make_bank, start
from training_panels import ENDLESS, ended, folder_for_runs, lone_panel, message_of, wait

from cowgan.anatomy.label_schemes import TERRITORIES
from cowgan.errors import Cancelled
from cowgan.segmentation.case_source import CaseSource, read_source
from cowgan.segmentation.segmentation_run import read_segmentation_state, train_segmenter
from cowgan.segmentation.segmenter_files import MODEL_FILE, load_segmenter
from cowgan.training.config_files import write_config
from cowgan.training.remote_control import read_status
from cowgan.volume import write_labels, write_nifti
from napari_cowgan.segmentation import show_segmentation_panel
from napari_cowgan.training import show_training_panel
from napari_cowgan.training.segmentation_fields import SegmentationFields
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


@pytest.fixture
def new(panel, monkeypatch) -> SegmentationFields:
    """Return the fields of a new segmentation run, whose small network is tiny."""
    monkeypatch.setattr("napari_cowgan.training.segmentation_fields.NETWORKS", {"small": TINY})
    panel.settings.kind.choose("segmentation")
    return panel.settings.segmentation


def write_cases(folder: Path) -> Path:
    """Write the images and label maps of a training set."""
    for number in range(3):
        volume = LabelledTubes(number).make()
        write_nifti(volume, folder / "images" / f"sub-{number}.nii.gz")
        write_labels(volume.labels, volume.affine, folder / "labels" / f"sub-{number}.nii.gz", {})
    return folder


def test_a_new_run_learns_from_a_bank_with_labels(panel, new, bank, runs, qtbot):
    assert "Choose a bank with labels" in new.found.text()
    assert not panel.settings.start.isEnabled()
    assert drop(panel, bank)
    wait(qtbot, panel.settings.start.isEnabled)
    assert "12 volumes with labels (territories)" in new.found.text()
    new.steps.setValue(2)
    click(panel.settings.start)
    run = runs / "segmentation-small-1"
    wait(qtbot, lambda: panel.monitor.state == "finished")
    wait(qtbot, ended(panel))
    assert panel.monitor.curves.last_step == 2
    assert load_segmenter(run / MODEL_FILE).scheme is TERRITORIES
    assert read_segmentation_state(run).config["network"]["channels"] == list(TINY.channels)
    wait(qtbot, lambda: panel.settings.folders.name.placeholderText() == "segmentation-small-2")


def test_a_new_run_learns_from_images_and_label_maps(
    panel, new, runs, qtbot, tmp_path, single_threaded
):
    cases = write_cases(tmp_path / "set")
    assert drop(panel, cases)
    assert (new.images.path, new.labels.path) == (cases / "images", cases / "labels")
    assert not new.bank.isVisible() and new.scheme.isVisible()
    new.scheme.choose("seven-arteries")
    wait(qtbot, lambda: "3 images with label maps (seven arteries)" in new.found.text())
    new.scheme.choose("territories")
    wait(qtbot, lambda: "3 images with label maps (territories)" in new.found.text())
    panel.settings.advanced.place.choose("thread")
    new.steps.setValue(1)
    click(panel.settings.start)
    wait(qtbot, lambda: panel.monitor.state == "finished")
    wait(qtbot, ended(panel))
    assert read_source(runs / "segmentation-small-1").scheme == "territories"


def test_what_cannot_be_learned_from_is_reported_at_once(panel, new, qtbot, tmp_path, monkeypatch):
    cases = write_cases(tmp_path / "set")
    (cases / "labels" / "sub-1.nii.gz").unlink()
    new.take(cases)
    new.scheme.choose("territories")
    wait(qtbot, lambda: "no label map for sub-1" in text_of(new))
    new.take(make_bank(tmp_path / "unlabelled").path)
    wait(qtbot, lambda: "has no labels" in text_of(new))
    monkeypatch.setattr("napari_cowgan.training.found_cases.monai_is_installed", lambda: False)
    new.take(cases)
    wait(qtbot, lambda: "napari-cowgan[segment]" in text_of(new))
    assert not panel.settings.start.isEnabled()


def text_of(new: SegmentationFields) -> str:
    return new.found.text().replace("\u200b", "")


def test_the_form_shows_what_the_chosen_kind_of_run_needs(panel, new):
    generator = (panel.settings.preset, panel.settings.data.volumes, panel.settings.voxels)
    segmentation = (new.network, new.bank, new.steps)
    shared = (panel.settings.device, panel.settings.folders.runs)
    for kind, shown, hidden in (
        ("segmentation", segmentation, generator),
        ("generator", generator, segmentation),
    ):
        panel.settings.kind.choose(kind)
        assert all(field.isVisible() for field in (*shown, *shared))
        assert not any(field.isVisible() for field in hidden)


@pytest.mark.slow
def test_memory_and_time_of_a_new_run_are_told(panel, new, bank, qtbot):
    assert drop(panel, bank)
    wait(qtbot, panel.settings.start.isEnabled)
    needs = panel.settings.needs
    panel.settings.find_needs()
    wait(
        qtbot, lambda: re.match(r"Needs about [\d.]+ GB of memory; [\d.]+ GB", needs.memory.text())
    )
    wait(qtbot, lambda: re.match(r"A step takes about [\d.]+ m?s", needs.time.text()))
    assert "validation and saving come on top" in needs.time.text()
    new.steps.setValue(7)
    panel.settings.find_needs()
    assert "so 7 steps take about" in needs.time.text()


def test_the_command_of_a_new_run_can_be_copied(panel, new, bank, runs, qtbot):
    new.take(bank)
    new.steps.setValue(70)
    wait(qtbot, panel.settings.copy.isEnabled)
    click(panel.settings.copy)
    run = runs / "segmentation-small-1"
    assert QApplication.clipboard().text() == (
        f"cowgan segment train --bank {bank} --out {run} --network small --steps 70 --seed 0 "
        "--device cpu"
    )


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


def test_a_run_whose_bank_is_gone_says_so(panel, bank, runs, qtbot, problem, single_threaded):
    panel.settings.advanced.place.choose("thread")
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


def test_a_finished_run_segments_in_one_click(viewer, runs, finished_run, qtbot):
    panel = show_training_panel(viewer).workbench
    panel.settings.folders.runs.set_path(finished_run.parent)
    wait(qtbot, lambda: panel.runs.list.runs)
    panel.runs.list.select(finished_run)
    wait(qtbot, panel.runs.open.isEnabled)
    assert panel.runs.open.text() == "Segment with it"
    click(panel.runs.open)
    assert show_segmentation_panel(viewer).network.path == finished_run


def test_a_run_without_a_network_cannot_segment_yet(panel, bank, runs, qtbot, single_threaded):
    source = CaseSource.of(bank=bank)
    with pytest.raises(Cancelled):
        train_segmenter(runs / "young", source.read(), CONFIG, "cpu", StopAt(1), source=source)
    panel.watch(runs / "young")
    wait(qtbot, panel.monitor.resume.isEnabled)
    assert panel.monitor.open.text() == "Segment with it"
    assert not panel.monitor.open.isEnabled()
