"""Opening, saving and exporting in the explorer, and its error messages."""

import csv
import gc
import os
import random
import shutil

import nibabel as nib
import numpy as np
import psutil
import pytest
from checkpoint_files import lively
from gui_events import drop
from gui_menus import close_panel
from qtpy.QtWidgets import QApplication, QMessageBox

from cowgan.checkpoint import ModelCard, save
from cowgan.latent.drag_plan import DragPlan, VoxelRuns
from cowgan.latent.dragging import Pull
from cowgan.synthesis import BlockMix, LatentState
from napari_cowgan.explorer import ExplorerPanel
from napari_cowgan.explorer.panel import LatentExplorer
from napari_cowgan.explorer.renderer import Rendered
from napari_cowgan.widgets.docked import find_panel
from napari_cowgan.widgets.remembered import recent


@pytest.fixture
def explorer(lone_explorer: LatentExplorer) -> LatentExplorer:
    return lone_explorer


def wait_for_model(explorer, path, qtbot) -> None:
    qtbot.waitUntil(
        lambda: explorer.model.checkpoint.path == path and not explorer.checkpoint.job.running,
        timeout=20_000,
    )


def test_a_bad_file_is_reported_in_one_sentence_and_the_open_model_stays(
    explorer, problem, settle, tmp_path
):
    path = tmp_path / "bad.pt"
    before, layer = explorer.model.checkpoint, explorer.shown.layer
    for content in (b"", b"not a model", b"PK\x03\x04", b"\x80\x04."):
        path.write_bytes(content)
        explorer.open_checkpoint(path)
        text = problem(explorer)
        assert "bad.pt" in text
        assert "\n" not in text
        assert explorer.model.checkpoint is before
        explorer.model.step_seed(1)
        settle(explorer)
        assert explorer.shown.layer is layer
        assert path not in recent("checkpoints")


def test_details_of_a_problem_can_be_copied(explorer, qtbot, tmp_path):
    explorer.open_checkpoint(tmp_path / "missing.safetensors")
    qtbot.waitUntil(lambda: bool(explorer.findChildren(QMessageBox)), timeout=20_000)
    (box,) = explorer.findChildren(QMessageBox)
    copy = next(button for button in box.buttons() if button.text() == "Copy details")
    copy.click()
    assert "Traceback" in QApplication.clipboard().text()
    assert "Traceback" not in box.text()
    box.close()


def test_dropping_a_model_on_the_panel_opens_it_and_remembers_it(
    explorer, other_model, qtbot, settle
):
    explorer.model.edit("x", mixing=(BlockMix(1, 2),))
    explorer.model.set_seed(6)
    drop(explorer, other_model)
    wait_for_model(explorer, other_model, qtbot)
    settle(explorer)
    assert recent("checkpoints")[0] == other_model
    # The seed stays; what belongs to the other model's latent space is dropped.
    assert explorer.model.latent == LatentState(6)
    assert not explorer.model.undo_stack.canUndo()


def test_dropping_a_model_on_the_canvas_opens_it(viewer, docked_explorer, other_model, qtbot):
    viewer.open(str(other_model), plugin="napari-cowgan")
    wait_for_model(docked_explorer, other_model, qtbot)
    assert len(viewer.layers) == 1


def test_the_bundled_model_is_reopened_from_another_installation(
    explorer, other_model, small_model, qtbot, monkeypatch
):
    monkeypatch.setattr("napari_cowgan.explorer.checkpoint_group.BUNDLED", other_model)
    explorer.open_checkpoint(other_model)
    wait_for_model(explorer, other_model, qtbot)
    assert other_model not in recent("checkpoints")
    monkeypatch.setattr("napari_cowgan.explorer.checkpoint_group.BUNDLED", small_model)
    explorer.checkpoint.open_last()
    wait_for_model(explorer, small_model, qtbot)


def test_other_dropped_files_are_not_accepted(explorer, tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("hello", encoding="utf-8")
    before = explorer.model.checkpoint
    drop(explorer, path)
    assert not explorer.checkpoint.job.running
    assert explorer.model.checkpoint is before


def test_a_published_model_lets_its_number_of_slices_be_chosen(
    explorer, shared_dir, qtbot, settle, tmp_path
):
    folder = tmp_path / "models" / "tiny"
    shutil.copytree(shared_dir / "parity" / "depth4_size32" / "models" / "tiny", folder)
    drop(explorer, folder)
    qtbot.waitUntil(lambda: explorer.model.checkpoint.path.suffix == ".pt", timeout=20_000)
    assert "32 was assumed" in explorer.checkpoint.notes.text()
    slices = explorer.checkpoint.slices
    assert slices.isVisible()
    slices.setCurrentText("4")
    slices.activated.emit(slices.currentIndex())
    qtbot.waitUntil(lambda: explorer.model.checkpoint.config.depth == 4, timeout=20_000)
    settle(explorer)
    assert explorer.shown.layer.data.shape == (4, 32, 32)


def test_exact_precision_is_used_and_remembered(explorer, settle, qtbot):
    box = explorer.checkpoint.precision
    box.setCurrentIndex(box.findData("exact"))
    box.activated.emit(box.currentIndex())
    qtbot.waitUntil(lambda: explorer.model.synthesizer.precision == "exact", timeout=20_000)
    explorer.model.step_seed(1)
    settle(explorer)
    assert explorer.shown.layer.metadata["cowgan"]["provenance"]["precision"] == "exact"


def test_many_seeds_are_exported_with_a_manifest(explorer, qtbot, tmp_path):
    explorer.export.count.setValue(4)
    explorer.export.first.setValue(7)
    explorer.export.export_many(tmp_path / "out")
    qtbot.waitUntil(lambda: not explorer.export.job.running, timeout=30_000)
    with (tmp_path / "out" / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["seed"]) for row in rows] == [7, 8, 9, 10]
    for row in rows:
        assert nib.load(tmp_path / "out" / row["file"]).shape == (32, 32, 16)
    assert "4 volumes" in explorer.export.outcome.text()


def test_a_cancelled_export_keeps_what_is_finished(explorer, qtbot, tmp_path):
    explorer.export.count.setValue(5000)
    explorer.export.export_many(tmp_path)
    qtbot.waitUntil(lambda: len(list(tmp_path.glob("*.nii.gz"))) > 3, timeout=30_000)
    explorer.export.job._cancel.click()
    assert explorer.export.job._cancel.text() == "Cancelling…"
    qtbot.waitUntil(lambda: not explorer.export.job.running, timeout=30_000)
    with (tmp_path / "manifest.csv").open(encoding="utf-8") as file:
        listed = {row["file"] for row in csv.DictReader(file)}
    assert listed == {path.name for path in tmp_path.glob("seed_*.nii.gz")}
    assert "Stopped" in explorer.export.outcome.text()
    assert explorer.export.many.isEnabled()


def test_existing_exports_are_replaced_only_after_a_question(explorer, qtbot, tmp_path):
    target = tmp_path / "seed_000000.nii.gz"
    target.write_bytes(b"precious")
    explorer.export.count.setValue(1)
    explorer.export.export_many(tmp_path)
    (box,) = explorer.export.findChildren(QMessageBox)
    assert target.read_bytes() == b"precious"
    replace_button = next(b for b in box.buttons() if b.text() == "Replace them")
    replace_button.click()
    qtbot.waitUntil(lambda: target.read_bytes() != b"precious", timeout=20_000)
    qtbot.waitUntil(lambda: not explorer.export.job.running, timeout=20_000)


def test_a_folder_that_cannot_be_written_is_reported(explorer, problem, tmp_path):
    blocker = tmp_path / "file"
    blocker.write_text("in the way", encoding="utf-8")
    explorer.export.export_volume(blocker / "volume.nii.gz")
    assert "could not be written" in problem(explorer)


def test_a_session_comes_back_whole_even_from_another_model(
    explorer, other_model, small_model, qtbot, settle, tmp_path
):
    explorer.favourites.add_current()
    explorer.compare.keep("B")
    explorer.model.set_seed(2**63)
    explorer.directions.rows[0].slider.setValue(-1.5)
    explorer.mixing.seed.setValue(77)
    explorer.mixing.blocks[1].click()
    explorer.movie.add.click()
    keyframes = explorer.movie.keyframes
    pull = Pull((8.0, 15.0, 12.0), (8.0, 20.0, 12.0))
    stays = np.zeros(explorer.model.checkpoint.config.volume_shape, np.bool_)
    stays[2:5, 10:20, 3] = True
    plan = DragPlan((pull,), VoxelRuns.of(stays))
    explorer.drag.edit_plan(plan, "plan")
    state = explorer.model.state
    path = tmp_path / "mine.cowgan.json"
    explorer.save_session(path)

    explorer.open_checkpoint(other_model)
    wait_for_model(explorer, other_model, qtbot)
    assert explorer.compare.slots["B"] is None
    assert explorer.drag.plan() == DragPlan()
    assert not explorer.movie.keyframes
    drop(explorer, path)
    wait_for_model(explorer, small_model, qtbot)
    settle(explorer)
    assert explorer.model.state == state
    assert explorer.compare.slots["B"] == LatentState(0)
    assert explorer.movie.keyframes == keyframes
    assert explorer.drag.plan() == plan
    assert [f.state for f in explorer.favourites.favourites()] == [LatentState(0)]


def test_a_damaged_session_changes_nothing(explorer, problem, tmp_path):
    path = tmp_path / "bad.cowgan.json"
    before = explorer.model.state
    for content in ("", "{}", "[1]", '{"schema": "cowgan.session/2"}', "[" * 5000):
        path.write_text(content, encoding="utf-8")
        explorer.open_session(path)
        assert "bad.cowgan.json" in problem(explorer)
        assert explorer.model.state == before


def test_a_session_whose_model_is_gone_names_it(
    explorer, problem, other_model, small_model, qtbot, tmp_path
):
    moved = tmp_path / "gone.safetensors"
    shutil.copy(other_model, moved)
    explorer.open_checkpoint(moved)
    wait_for_model(explorer, moved, qtbot)
    path = tmp_path / "s.cowgan.json"
    explorer.save_session(path)
    moved.unlink()
    explorer.open_checkpoint(small_model)
    wait_for_model(explorer, small_model, qtbot)
    explorer.open_session(path)
    assert "gone.safetensors" in problem(explorer)


def test_the_layer_may_be_renamed_or_deleted(viewer, docked_explorer, settle):
    docked_explorer.shown.layer.name = "mine"
    docked_explorer.model.step_seed(1)
    settle(docked_explorer)
    assert [layer.name for layer in viewer.layers] == ["mine"]
    viewer.layers.clear()
    docked_explorer.model.step_seed(1)
    settle(docked_explorer)
    assert len(viewer.layers) == 1
    assert docked_explorer.shown.layer in viewer.layers


def test_the_newest_state_is_shown_last(explorer, settle, monkeypatch):
    drawn: list[Rendered] = []
    take = explorer.live.renderer.take
    monkeypatch.setattr(
        explorer.live.renderer, "take", lambda: drawn.append(result := take()) or result
    )
    for seed in range(40):
        explorer.model.set_seed(seed)
        QApplication.processEvents()
    settle(explorer)
    seeds = [result.state.seed for result in drawn if result is not None]
    assert seeds == sorted(seeds)
    assert seeds[-1] == 39


def test_a_closed_panel_opens_again(viewer, docked_explorer, open_explorer, settle):
    close_panel(find_panel(viewer, ExplorerPanel))
    again = open_explorer(viewer)
    again.model.step_seed(1)
    settle(again)


@pytest.mark.slow
def test_two_thousand_random_edits_need_no_more_memory(explorer, settle):
    numbers = random.Random(0)
    process = psutil.Process(os.getpid())

    def edit() -> None:
        model = explorer.model
        kind = numbers.randrange(5)
        if kind == 0:
            model.set_seed(numbers.randrange(2**64))
        elif kind == 1:
            explorer.truncation.psi.slider.setValue(numbers.uniform(0, 1.5))
        elif kind == 2:
            row = numbers.choice(explorer.directions.rows)
            row.slider.setValue(numbers.uniform(-3, 3))
        elif kind == 3:
            numbers.choice(explorer.mixing.blocks).click()
        else:
            explorer.noise.strength.slider.setValue(numbers.uniform(0, 2))
        QApplication.processEvents()

    for _ in range(300):
        edit()
    settle(explorer)
    gc.collect()
    before = process.memory_info().rss
    for _ in range(2000):
        edit()
    settle(explorer)
    gc.collect()
    grown_mb = (process.memory_info().rss - before) / 1e6
    print(f"\n2,000 edits: {grown_mb:+.1f} MB, {explorer.live.renderer.renders} renders")
    assert grown_mb < 50
    assert np.isfinite(explorer.shown.layer.data).all()


def test_a_model_with_markup_in_its_name_is_shown_as_it_is(explorer, qtbot, tmp_path):
    checkpoint = lively()
    checkpoint.card = ModelCard("<img src='file:///x'>\x1b[2J")
    save(checkpoint, tmp_path / "model.safetensors")
    explorer.open_checkpoint(tmp_path / "model.safetensors")
    wait_for_model(explorer, tmp_path / "model.safetensors", qtbot)
    assert "<img" not in explorer.checkpoint.name.toolTip()
    assert "&lt;img src=" in explorer.checkpoint.name.toolTip()
