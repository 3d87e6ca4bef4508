"""The Data panel on real files: what a person does, and what goes wrong."""

import shutil
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from gui_events import click, drop, wheel
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtGui import QDesktopServices
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton, QComboBox, QFileDialog, QLineEdit, QSpinBox

from cowgan.bank.bank import Bank
from cowgan.data import template
from cowgan.data.case_records import read_manifest
from cowgan.errors import CowganError
from cowgan.progress import advance
from cowgan.volume import Volume, default_affine, write_nifti
from napari_cowgan.data import show_data_panel
from napari_cowgan.data.panel import DataPanel
from napari_cowgan.widgets.remembered import remember

SHAPE = (60, 150, 150)


def write_head(path: Path, seed: int) -> None:
    """Write a scan in which bright arteries cross in the middle of grey tissue."""
    random = np.random.default_rng(seed)
    data = (100 + 10 * random.standard_normal(SHAPE)).astype(np.float32)
    data[29:32, 40:110, 74:77] = 600
    data[29:32, 74:77, 40:110] = 600
    data[10:50, 60:64, 72:76] = 600
    write_nifti(Volume(data, default_affine(SHAPE)), path)


@pytest.fixture(scope="session")
def head(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("head") / "head.nii.gz"
    write_head(path, 0)
    return path


@pytest.fixture
def scans(tmp_path: Path, head: Path) -> Path:
    """Return a folder with three good scans, a damaged one and an empty one."""
    folder = tmp_path / "scans"
    (folder / "site").mkdir(parents=True)
    for name in ("sub-1", "sub-2", "site/sub-3"):
        shutil.copy(head, folder / f"{name}.nii.gz")
    (folder / "broken.nii.gz").write_bytes(b"hello")
    nib.save(nib.Nifti1Image(np.ones((9, 9, 9), np.int16), np.eye(4)), folder / "flat.nii")
    return folder


@pytest.fixture
def many_scans(tmp_path: Path, head: Path) -> Path:
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(40):
        shutil.copy(head, folder / f"sub-{number:02}.nii.gz")
    return folder


@pytest.fixture
def panel(qtbot) -> DataPanel:
    """Return a panel that stands alone, which suffices for most of what it does."""
    remember("data/jobs", 1)
    panel = DataPanel(ViewerModel())
    qtbot.addWidget(panel)
    panel.resize(400, 900)
    panel.show()
    return panel


@pytest.fixture
def docked_panel(viewer) -> DataPanel:
    """Return a panel in a napari window."""
    remember("data/jobs", 1)
    return show_data_panel(viewer)


@pytest.fixture
def finish(qtbot) -> Callable[[DataPanel], None]:
    return lambda panel: qtbot.waitUntil(lambda: not panel.job.running, timeout=60_000)


def fill(panel: DataPanel, scans: Path, out: Path) -> None:
    """Type both folders."""
    for field, path in ((panel.settings.scans, scans), (panel.settings.out, out)):
        field.line.setFocus()
        field.line.clear()
        QTest.keyClicks(field.line, str(path))


def outcomes(panel: DataPanel) -> dict[str, str]:
    return {row.name: row.outcome for row in panel.cases.rows}


def message_of(panel: DataPanel) -> str:
    """Return what the panel says, without the places where it may wrap."""
    return panel.outcome.text().replace("\u200b", "")


def select(panel: DataPanel, name: str) -> None:
    (item,) = panel.cases.findItems(name, Qt.MatchFlag.MatchExactly)
    place = panel.cases.visualItemRect(item).center()
    QTest.mouseClick(panel.cases.viewport(), Qt.MouseButton.LeftButton, pos=place)


ALL_OUTCOMES = {
    "sub-1": "done",
    "sub-2": "done",
    "site_sub-3": "done",
    "broken": "failed",
    "flat": "failed",
}


def test_an_empty_panel_says_what_to_do_and_offers_nothing_else(panel):
    assert panel.outcome.isVisible()
    assert "press Prepare" in message_of(panel)
    for button in (panel.start, panel.show_case, panel.quality, panel.bank, panel.settings.build):
        assert not button.isEnabled()
    assert panel.cases.rows == []
    assert not panel.reason.isVisible()


def test_a_folder_is_prepared_and_its_results_are_shown(
    docked_panel, viewer, scans, tmp_path, finish, monkeypatch
):
    before = {path: path.read_bytes() for path in scans.rglob("*") if path.is_file()}
    fill(docked_panel, scans, tmp_path / "out")
    click(docked_panel.start)
    assert docked_panel.job.isVisible()
    assert not docked_panel.settings.isEnabled() and not docked_panel.start.isEnabled()
    finish(docked_panel)
    assert outcomes(docked_panel) == ALL_OUTCOMES
    assert message_of(docked_panel) == "Scans: 3 done, 2 failed."
    assert {path: path.read_bytes() for path in scans.rglob("*") if path.is_file()} == before

    select(docked_panel, "broken")
    assert "text file" in docked_panel.reason.text()
    select(docked_panel, "site_sub-3")
    assert not docked_panel.reason.isVisible()
    QTest.keyClick(docked_panel.cases, Qt.Key.Key_Return)
    (layer,) = viewer.layers
    assert layer.name == "site_sub-3"
    assert layer.data.shape == (32, 128, 128)
    assert viewer.dims.ndisplay == 3
    click(docked_panel.show_case)
    assert len(viewer.layers) == 1, "a case that is shown is not added again"
    select(docked_panel, "sub-1")
    (item,) = docked_panel.cases.findItems("sub-1", Qt.MatchFlag.MatchExactly)
    place = docked_panel.cases.visualItemRect(item).center()
    QTest.mouseDClick(docked_panel.cases.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert [layer.name for layer in viewer.layers] == ["site_sub-3", "sub-1"]

    opened = []

    def browse(url) -> bool:
        opened.append(url.toLocalFile())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", browse)
    click(docked_panel.quality)
    (page,) = opened
    assert "sub-1" in Path(page).read_text(encoding="utf-8")


def test_cases_are_listed_while_others_are_prepared(panel, many_scans, tmp_path, qtbot):
    fill(panel, many_scans, tmp_path / "out")
    click(panel.start)
    qtbot.waitUntil(lambda: len(panel.cases.rows) >= 3, timeout=30_000)
    assert panel.job.running
    qtbot.waitUntil(lambda: "done" in outcomes(panel).values(), timeout=30_000)
    assert panel.job.running


def test_cancel_keeps_what_is_finished_and_prepare_goes_on(
    panel, many_scans, tmp_path, qtbot, finish
):
    out = tmp_path / "out"
    fill(panel, many_scans, out)
    click(panel.start)
    qtbot.waitUntil(lambda: len(panel.cases.rows) >= 2, timeout=30_000)
    click(panel.job.findChild(QAbstractButton))
    finish(panel)
    finished = len(read_manifest(out))
    assert 2 <= finished < 40
    assert outcomes(panel) == dict.fromkeys(read_manifest(out), "done")
    assert message_of(panel) == "Cancelled; finished cases are kept."
    assert panel.start.isEnabled() and panel.settings.isEnabled()
    known = read_manifest(out)
    left = [path for path in many_scans.iterdir() if path.name.partition(".")[0] not in known]
    for path in left[1:]:
        path.unlink()
    click(panel.start)
    finish(panel)
    assert message_of(panel) == f"Scans: {finished + 1} done ({finished} from before)."
    assert set(outcomes(panel).values()) == {"done"}


def test_two_scans_are_prepared_at_the_same_time(panel, scans, tmp_path, finish):
    fill(panel, scans, tmp_path / "out")
    panel.settings.jobs.setMaximum(2)
    panel.settings.jobs.setValue(2)
    click(panel.start)
    finish(panel)
    assert outcomes(panel) == ALL_OUTCOMES


@pytest.mark.parametrize("close", ["window", "panel"])
def test_closing_during_work_ends_its_thread(
    viewer, docked_panel, many_scans, tmp_path, qtbot, close
):
    fill(docked_panel, many_scans, tmp_path / "out")
    click(docked_panel.start)
    qtbot.waitUntil(lambda: len(docked_panel.cases.rows) >= 1, timeout=30_000)
    if close == "window":
        viewer.close()
    else:
        viewer.window.remove_dock_widget(docked_panel)

    def ended() -> bool:
        return not any(t.name == "cowgan-job" for t in threading.enumerate())

    qtbot.waitUntil(ended, timeout=20_000)
    QTest.qWait(100)
    assert 1 <= len(read_manifest(tmp_path / "out")) < 40


@pytest.mark.parametrize("out", ["", "below", "above"])
def test_an_output_folder_among_the_scans_is_refused(panel, scans, problem, finish, out):
    folder = {"": scans, "below": scans / "out", "above": scans.parent}[out]
    fill(panel, scans, folder)
    click(panel.start)
    assert "must lie apart from the scans" in problem(panel)
    finish(panel)
    assert not (scans / "out").exists()
    assert panel.start.isEnabled()


def test_a_folder_without_scans_is_refused(panel, tmp_path, problem, finish):
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").touch()
    fill(panel, tmp_path / "empty", tmp_path / "out")
    click(panel.start)
    assert "no scans" in problem(panel)
    finish(panel)
    fill(panel, tmp_path / "nowhere", tmp_path / "out")
    click(panel.start)
    assert "nowhere does not exist" in problem(panel)
    assert not (tmp_path / "out").exists()


def test_a_folder_of_other_files_is_refused(panel, scans, tmp_path, problem):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "manifest.json").write_text("[]", encoding="utf-8")
    fill(panel, scans, tmp_path / "other")
    assert "choose another folder" in message_of(panel)
    click(panel.start)
    assert "choose another folder" in problem(panel)


def choose_region(panel: DataPanel, value: str) -> None:
    box = panel.settings.region
    box.setFocus()
    for _ in range(box.count()):
        QTest.keyClick(box, Qt.Key.Key_Up)
    for _ in range(box.findData(value)):
        QTest.keyClick(box, Qt.Key.Key_Down)
    assert box.chosen == value


def test_a_template_is_asked_for_only_where_one_is_used(panel, scans, tmp_path, problem):
    fill(panel, scans, tmp_path / "out")
    assert not panel.settings.template.isVisible()
    choose_region(panel, "template")
    assert panel.settings.template.isVisible()
    assert panel.settings.build.isVisible()
    assert panel.settings.skull_strip.isVisible()
    click(panel.start)
    assert problem(panel) == "Choose a template file, or build one from these scans."


def test_missing_simpleitk_is_reported_with_its_installation(
    panel, scans, head, tmp_path, problem, monkeypatch
):
    monkeypatch.setitem(sys.modules, "SimpleITK", None)
    fill(panel, scans, tmp_path / "out")
    choose_region(panel, "template")
    panel.settings.template.set_path(head)
    click(panel.start)
    message_of = problem(panel)
    assert "pip install" in message_of and "SimpleITK" in message_of


def test_a_template_is_built_and_then_used(panel, scans, tmp_path, finish, monkeypatch):
    asked = []

    def build(inputs, out, jobs, progress, *, overwrite, units):
        asked.append((inputs, out, jobs, overwrite, units))
        for step in range(5):
            advance(progress, step, 5)
        return template.TemplateSummary(
            out, "sub-1", {"sub-1": 0.9, "sub-2": 0.8}, {"x": "?"}, [], [], {}
        )

    monkeypatch.setattr(template, "build_template", build)
    fill(panel, scans, tmp_path / "out")
    choose_region(panel, "template")
    click(panel.settings.build)
    (dialog,) = panel.findChildren(QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "mean.nii.gz"))
    dialog.close()
    finish(panel)
    assert asked == [([scans], tmp_path / "mean.nii.gz", 1, True, None)]
    assert panel.settings.config().template == tmp_path / "mean.nii.gz"
    assert panel.settings.config().roi == "template"
    assert "2 scans, 1 left out" in message_of(panel)


def test_a_template_that_fails_is_not_used(panel, scans, tmp_path, problem, monkeypatch):
    def build(*_, **__):
        raise CowganError("A template needs at least two scans.")

    monkeypatch.setattr(template, "build_template", build)
    fill(panel, scans, tmp_path / "out")
    panel.build_template(tmp_path / "mean.nii.gz")
    assert problem(panel) == "A template needs at least two scans."
    assert panel.settings.template.path is None


def test_the_result_becomes_a_training_bank(panel, scans, tmp_path, finish, problem):
    fill(panel, scans, tmp_path / "out")
    click(panel.start)
    finish(panel)
    (tmp_path / "bank").mkdir()
    click(panel.bank)
    (dialog,) = panel.findChildren(QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "bank"))
    dialog.close()
    finish(panel)
    bank = Bank.open(tmp_path / "bank")
    assert sorted(case.name for case in bank.cases) == ["site_sub-3", "sub-1", "sub-2"]
    assert "bank of 3 volumes" in message_of(panel)
    assert "the same scan" in message_of(panel), "copies on both sides of the split are warned of"
    panel.build_bank(scans)
    assert "not part of a bank" in problem(panel)


def test_everything_is_remembered(viewer, docked_panel, scans, tmp_path, finish):
    fill(docked_panel, scans, tmp_path / "out")
    choose_region(docked_panel, "auto")
    docked_panel.settings.template.set_path(tmp_path / "t.nii.gz")
    docked_panel.settings.scaling.choose("minmax")
    docked_panel.settings.skull_strip.choose("none")
    click(docked_panel.start)
    viewer.window.remove_dock_widget(docked_panel)
    again = show_data_panel(viewer)
    assert (again.settings.scans.path, again.settings.out.path) == (scans, tmp_path / "out")
    config = again.settings.config()
    assert config.template == tmp_path / "t.nii.gz"
    assert (config.roi, config.intensity, config.skull_strip) == ("auto", "minmax", "none")
    assert again.settings.template.isVisibleTo(again)


def test_earlier_results_are_listed_when_the_panel_opens(
    viewer, docked_panel, scans, tmp_path, finish
):
    fill(docked_panel, scans, tmp_path / "out")
    click(docked_panel.start)
    finish(docked_panel)
    viewer.window.remove_dock_widget(docked_panel)
    again = show_data_panel(viewer)
    assert outcomes(again) == ALL_OUTCOMES
    assert again.quality.isEnabled() and again.bank.isEnabled()


def test_a_page_that_no_browser_opens_is_named(
    panel, scans, tmp_path, finish, problem, monkeypatch
):
    fill(panel, scans, tmp_path / "out")
    click(panel.start)
    finish(panel)
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: False)
    click(panel.quality)
    assert str(tmp_path / "out" / "quality.html") in problem(panel)


def test_a_run_that_fails_leaves_earlier_results_in_the_list(
    panel, scans, tmp_path, finish, problem
):
    fill(panel, scans, tmp_path / "out")
    click(panel.start)
    finish(panel)
    shutil.rmtree(scans)
    click(panel.start)
    assert "does not exist" in problem(panel)
    assert outcomes(panel) == ALL_OUTCOMES


def wait_for_listing(panel: DataPanel, qtbot) -> None:
    """Wait until the folder of the scans is listed."""
    qtbot.waitUntil(lambda: panel.search.listing is not None, timeout=20_000)


@pytest.fixture
def mixed_data_set(tmp_path: Path, head: Path) -> Path:
    """Return a BIDS data set with one angiogram, one other image and a pointer."""
    folder = tmp_path / "bids"
    anat = folder / "sub-1" / "anat"
    anat.mkdir(parents=True)
    (folder / "dataset_description.json").write_text(
        '{"Name": "x", "BIDSVersion": "1.9.0"}', encoding="utf-8"
    )
    for suffix in ("angio", "T1w"):
        shutil.copy(head, anat / f"sub-1_{suffix}.nii.gz")
    (folder / "sub-2_angio.nii.gz").write_bytes(b"version https://git-lfs.github.com/spec/v1")
    return folder


def test_the_content_of_a_folder_is_listed_with_reasons_beforehand(panel, mixed_data_set, qtbot):
    assert drop(panel, mixed_data_set)
    wait_for_listing(panel, qtbot)
    assert outcomes(panel) == {
        "sub-1_angio": "ready",
        "sub-1/anat/sub-1_T1w.nii.gz": "left out",
        "sub-2_angio.nii.gz": "left out",
    }
    assert message_of(panel) == (
        "1 scan to prepare, 2 left out; check those that should be prepared too. "
        "Choose a folder for the results to prepare them."
    )
    (item,) = panel.cases.findItems("sub-2_angio.nii.gz", Qt.MatchFlag.MatchExactly)
    assert "pointer of Git LFS" in item.child(0).text(0)
    assert (
        not item.flags() & Qt.ItemFlag.ItemIsUserCheckable
        or item.data(0, Qt.ItemDataRole.CheckStateRole) is None
    ), "what is not there cannot be taken"


def test_ticked_files_are_prepared(panel, mixed_data_set, tmp_path, qtbot, finish):
    fill(panel, mixed_data_set, tmp_path / "out")
    wait_for_listing(panel, qtbot)
    select(panel, "sub-1/anat/sub-1_T1w.nii.gz")
    QTest.keyClick(panel.cases, Qt.Key.Key_Space)
    click(panel.start)
    finish(panel)
    assert outcomes(panel)["sub-1_T1w"] == "done"
    assert message_of(panel) == "Scans: 2 done, 1 left out."
    QTest.keyClick(panel.cases, Qt.Key.Key_Down)
    assert panel.cases.selected is not None, "the keyboard passes the reasons by"


def test_a_folder_of_dicom_files_explains_how_to_convert_them(panel, tmp_path, qtbot):
    folder = tmp_path / "study" / "SE0005"
    folder.mkdir(parents=True)
    for number in range(3):
        (folder / f"IM{number:04}").write_bytes(bytes(128) + b"DICM" + bytes(64))
    assert drop(panel, folder.parent)
    wait_for_listing(panel, qtbot)
    (row,) = panel.cases.rows
    assert "dcm2niix" in row.reason
    assert message_of(panel).startswith("No scans to prepare, 1 left out.")


@pytest.mark.parametrize("typed", ["~", "~nobody-of-this-name/x", "\\\\host\\share", "x" * 3000])
def test_any_text_may_be_typed_as_a_path(panel, typed):
    for field in (panel.settings.scans, panel.settings.out):
        field.line.setText(typed)
    assert panel.cases.rows == []
    assert not panel.quality.isEnabled()


def test_a_case_that_is_prepared_again_is_read_again(docked_panel, viewer, scans, tmp_path, finish):
    fill(docked_panel, scans, tmp_path / "out")
    click(docked_panel.start)
    finish(docked_panel)
    select(docked_panel, "sub-1")
    click(docked_panel.show_case)
    write_head(scans / "sub-1.nii.gz", 1)
    click(docked_panel.start)
    finish(docked_panel)
    select(docked_panel, "sub-1")
    click(docked_panel.show_case)
    first, second = viewer.layers
    assert not np.array_equal(first.data, second.data)


def test_opening_a_failed_case_reports_why(docked_panel, scans, tmp_path, finish, problem, viewer):
    fill(docked_panel, scans, tmp_path / "out")
    click(docked_panel.start)
    finish(docked_panel)
    select(docked_panel, "broken")
    QTest.keyClick(docked_panel.cases, Qt.Key.Key_Return)
    assert "text file" in problem(viewer.window._qt_window)
    assert len(viewer.layers) == 0


def test_a_dropped_folder_becomes_the_scans_folder(panel, scans):
    assert drop(panel, scans)
    assert panel.settings.scans.path == scans
    assert not drop(panel, scans / "sub-1.nii.gz")
    assert not drop(panel, scans, scans)


def test_the_panel_fits_300_pixels_and_every_control_has_a_tooltip(
    viewer, docked_panel, scans, tmp_path
):
    fill(docked_panel, scans, tmp_path / ("very_long_name" * 20))
    choose_region(docked_panel, "template")
    docked_panel._show_message(
        f"Saved a template of 20 scans to {tmp_path / ('very_long_name' * 20)}"
    )
    assert docked_panel.minimumSizeHint().width() <= 300
    inside = docked_panel.settings.parentWidget()
    assert inside.minimumSizeHint().width() <= 290
    for kind in (QAbstractButton, QComboBox, QSpinBox, QLineEdit):
        for control in docked_panel.findChildren(kind):
            own = control.objectName().startswith("qt_") or control.parent() in (
                docked_panel.settings.jobs,
                *docked_panel.findChildren(QLineEdit),
            )
            assert own or control.toolTip(), control


def test_the_wheel_scrolls_over_fields_and_changes_none(panel):
    before = panel.settings.scaling.chosen, panel.settings.jobs.value()
    wheel(panel.settings.scaling)
    wheel(panel.settings.jobs)
    assert (panel.settings.scaling.chosen, panel.settings.jobs.value()) == before


def test_scans_in_the_wrong_unit_name_the_setting(panel, head, tmp_path, finish):
    scans = tmp_path / "metres"
    scans.mkdir()
    image = nib.load(head)
    image.header.set_xyzt_units("meter")
    nib.save(image, scans / "tof.nii.gz")
    fill(panel, scans, tmp_path / "out")
    click(panel.start)
    finish(panel)
    select(panel, "tof")
    assert '"Lengths" in the Data panel' in panel.reason.text()
    panel.settings.lengths.setFocus()
    QTest.keyClicks(panel.settings.lengths, "Mill")
    click(panel.start)
    finish(panel)
    assert outcomes(panel) == {"tof": "done"}
