"""A reader's way through a package, by real keys and mouse events."""

import json
import os
import shutil
import threading
import time
import zipfile
from collections import defaultdict
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from gui_events import click, click_at, drag_across, drop, wheel
from qtpy.QtCore import Qt
from qtpy.QtGui import QContextMenuEvent, QDesktopServices
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractSpinBox,
    QApplication,
    QDockWidget,
    QFileDialog,
    QLabel,
    QLineEdit,
    QMenuBar,
    QPushButton,
    QStatusBar,
    QToolBar,
    QWidget,
)
from reading_windows import (
    FLEETING,
    Key,
    go_to,
    make_package,
    open_window,
    picture,
    press,
    state,
    step,
    wait_for,
    wait_for_state,
)

from cowgan.files import read_bytes
from cowgan.turing.design.trials import Rules
from cowgan.turing.reading.package import Package, find_package
from cowgan.turing.reading.receipt import read_receipt
from cowgan.turing.reading.records import read_journal
from cowgan.turing.reading.session import finish_code
from cowgan.turing.reading.snapshot import State
from napari_cowgan.reading.application import Opening
from napari_cowgan.reading.window import ReadingWindow

SHIFT, CTRL = Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def journal(package):
    """Return a function that reads what is on disk of one kind."""

    def read(kind):
        return [record for record in read_journal(package / "journal.jsonl") if record.kind == kind]

    return read


def texts_of(window) -> str:
    labels = window.findChildren(QLabel) + window.findChildren(QPushButton)
    shown = [widget for widget in labels if widget.isVisible()]
    return "\n".join([window.windowTitle(), *(f"{w.text()} {w.toolTip()}" for w in shown)])


def test_a_package_is_read_by_keys_from_the_instructions_to_the_finish_code(
    window, package, journal
):
    states = [state(window)]
    trials = 0
    while state(window) is not State.FINISHED:
        if state(window) is State.VIEWING:
            trials += 1
        step(window, (Key.Key_R, Key.Key_G)[trials % 2])
        if states[-1] is not state(window):
            states.append(state(window))
    begun = states[: states.index(State.COMMITTING)]
    assert begun == [
        "instructions",
        "consent",
        "ready",
        "loading",
        "viewing",
        "confidence",
        "rated",
    ]
    assert states.count(State.FEEDBACK) == 2
    commits = journal("commit")
    assert [record.trial for record in commits] == list(range(1, 13))
    assert [record.data["answer"] for record in commits] == ["G", "R"] * 6
    assert {record.data["level"] for record in commits} == {4}
    records = read_journal(package / "journal.jsonl")
    code = finish_code(records)
    assert window.page.code.text() == code
    assert str(package) in window.page.body.text()
    window.close()

    again = open_window(package)
    assert again.page.code.text() == code
    again.close()


def test_the_start_code_is_shown_before_the_first_case(window, journal):
    go_to(window, State.CONSENT)
    (start,) = journal("start")
    assert start.data["start_code"] == window.reading.session.start_code
    assert f"Your start code is <b>{start.data['start_code']}</b>" in window.page.body.text()


def extra_button(window, text: str) -> QPushButton:
    """Return the button between the main and the last one that says so."""
    (found,) = [button for button in window.page.also if button.text() == text]
    assert found.isVisible()
    return found


def save_by_keys(window, suggested: str, target: Path) -> None:
    """Type a name into the dialog that has opened."""
    dialog = window.findChild(QFileDialog)
    wait_for(dialog.isActiveWindow)
    line = QApplication.focusWidget()
    assert line.text() == suggested
    press(window, Key.Key_A, modifier=CTRL)
    QTest.keyClicks(line, str(target))
    # The first closes the list of names that begin so.
    press(window, Key.Key_Return, Key.Key_Return)
    wait_for(lambda: str(target) in window.page.note.text())


def test_answers_to_return_are_saved_by_keys(window, package, tmp_path, monkeypatch):
    go_to(window, State.FINISHED)
    before = (package / "journal.jsonl").read_bytes()
    QTest.qWait(1100)
    press(window, Key.Key_Return)
    save_by_keys(window, "sub-R01_answers.zip", tmp_path / "mine")
    with zipfile.ZipFile(tmp_path / "mine.zip") as archive:
        assert archive.read("sub-R01/journal.jsonl") == before
    click(extra_button(window, "Copy code"))
    assert QApplication.clipboard().text() == window.page.code.text()
    shown = []
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: shown.append(url) or True)
    click(extra_button(window, "Show folder"))
    assert [url.toLocalFile() for url in shown] == [str(package)]
    # Neither the dialog nor a look at another window adds to what was finished.
    QTest.qWait(300)
    assert (package / "journal.jsonl").read_bytes() == before


def test_the_receipt_is_saved_by_keys_and_fits_the_journal(window, tmp_path):
    go_to(window, State.FINISHED)
    QTest.qWait(1100)
    press(window, Key.Key_Tab)
    while QApplication.focusWidget() is not extra_button(window, "Save receipt…"):
        press(window, Key.Key_Tab)
    press(window, Key.Key_Return)
    save_by_keys(window, "sub-R01_receipt.json", tmp_path / "mine")
    kept = read_receipt(tmp_path / "mine.json")
    assert kept.finish_code == window.page.code.text()
    assert kept.start_code == window.reading.session.start_code


def test_a_failed_save_is_reported_and_can_be_repeated(window, tmp_path):
    go_to(window, State.FINISHED)
    (tmp_path / "file").write_text("", encoding="utf-8")
    for save in (window.files.save_receipt, window.files.save_answers):
        save(tmp_path / "file" / "mine")
        assert "could not be written" in window.page.note.text()
        save(tmp_path / "mine")
        assert f"saved as {tmp_path / 'mine'}" in window.page.note.text()


def test_a_reader_chooses_what_to_read(package, tmp_path):
    window = ReadingWindow()
    window.show()
    window.activateWindow()
    chosen = []

    def use(folder: Path) -> None:
        chosen.append(find_package(folder))
        Opening(window, chosen[-1]).start()

    window.ask_for_package(use)
    (tmp_path / "empty").mkdir()
    for wanted in (tmp_path / "empty", package.parent):
        click(window.page.go_on)
        line = window.findChild(QFileDialog).findChild(QLineEdit)
        line.setText(str(wanted))
        QTest.keyClick(line, Key.Key_Return)
        wait_for(lambda: window.findChild(QFileDialog) is None)
        if not chosen:
            assert "empty is not a folder to read" in window.page.note.text()
    wait_for(lambda: window.reading is not None)
    assert chosen == [package]
    assert "practice" in window.page.title.text()
    window.close()


def test_every_step_can_be_taken_with_the_mouse(window, journal):
    click(window.page.go_on)
    click(window.page.go_on)
    click(window.page.go_on)
    wait_for_state(window, State.VIEWING)
    real, generated = window.trial_page.answers.answers
    click(real)
    click(generated)
    click(window.trial_page.answers.levels[1])
    click(window.trial_page.side.pause)
    assert state(window) is State.PAUSED
    click(window.page.go_on)
    click(window.trial_page.side.mip)
    assert window.trial_page.image.view.mip
    click(window.trial_page.side.mip)
    click_at(window.trial_page.image.panes[0].overlay, 0, 0)
    click(window.trial_page.side.marks.reasons["Too clean"])
    click_at(window.trial_page.image.panes[0].overlay, 40, 0)
    click(window.trial_page.side.marks.undo)
    click(window.trial_page.answers.next)
    wait_for_state(window, State.FEEDBACK)
    (commit,) = journal("commit")
    assert (commit.data["answer"], commit.data["level"]) == ("G", 2)
    (mark,) = commit.data["marks"]
    assert mark["reasons"] == ["Too clean"]
    assert commit.data["answers_given"] == 2


def test_both_answers_look_alike_when_chosen(window):
    go_to(window, State.VIEWING)
    looks = []
    for number, key in enumerate((Key.Key_R, Key.Key_G)):
        press(window, key)
        image = window.trial_page.answers.answers[number].grab().toImage()
        looks.append(image.pixelColor(10, image.height() // 2).name())
    assert looks[0] == looks[1]


def test_practice_shows_the_right_answer_and_the_reading_does_not(window):
    go_to(window, State.FEEDBACK)
    trial = window.reading.session.trial
    verdict = window.trial_page.answers.verdict.text()
    assert verdict.startswith("Correct" if trial.expected == "G" else "Not quite")
    assert ("generated" if trial.expected == "G" else "real") in verdict
    while state(window) is not State.INSTRUCTIONS:
        step(window)
    go_to(window, State.RATED)
    press(window, Key.Key_Return)
    wait_for_state(window, State.READY)
    assert not window.trial_page.answers.verdict.isVisible()


def test_every_case_begins_with_the_same_view(window):
    go_to(window, State.VIEWING)
    start = window.trial_page.image.view
    overlay = window.trial_page.image.panes[0].overlay
    model = window.trial_page.image.panes[0].model
    first = _drawn_view(model)
    press(window, Key.Key_PageUp)
    drag_across(overlay, 80, 50)
    drag_across(overlay, 0, -60, Qt.MouseButton.RightButton)
    drag_across(overlay, 20, 30, keys=SHIFT)
    press(window, Key.Key_M)
    drag_across(overlay, 70, 90)
    view = window.trial_page.image.view
    assert all(getattr(view, name) != value for name, value in asdict(start).items())
    assert _drawn_view(model) != first
    go_to(window, State.FEEDBACK)
    go_to(window, State.VIEWING)
    assert window.trial_page.image.view == start
    assert _drawn_view(model) == first


def _drawn_view(model):
    """Return what napari makes of the view."""
    (layer,) = model.layers
    camera = model.scene.camera
    return (
        model.dims.ndisplay,
        model.dims.current_step,
        tuple(layer.contrast_limits),
        np.round(camera.center[1:], 3).tolist(),
        round(camera.zoom, 3),
    )


def test_the_mouse_changes_slice_window_zoom_and_position(window):
    go_to(window, State.VIEWING)
    overlay = window.trial_page.image.panes[0].overlay
    start = window.trial_page.image.view
    wheel(overlay, 120)
    assert window.trial_page.image.view.slice == start.slice + 1
    press(window, Key.Key_Down, Key.Key_Down)
    assert window.trial_page.image.view.slice == start.slice - 1
    drag_across(overlay, 0, -100)
    brighter = window.trial_page.image.view
    assert brighter.high < start.high
    assert brighter.low < start.low
    press(window, Key.Key_W)
    reset = window.trial_page.image.view
    assert (reset.low, reset.high) == (start.low, start.high)
    drag_across(overlay, 100, 0)
    wider = window.trial_page.image.view
    assert wider.high - wider.low > start.high - start.low
    drag_across(overlay, 0, -100, Qt.MouseButton.RightButton)
    assert window.trial_page.image.view.zoom > 1
    drag_across(overlay, 30, 0, keys=SHIFT)
    assert window.trial_page.image.view.shift_mm[0] < 0


def test_the_patients_right_is_on_the_left_and_the_front_at_the_top(window):
    """A bright voxel at the patient's right front is drawn at the top left, in both modes."""
    go_to(window, State.VIEWING)
    pane = window.trial_page.image.panes[0]
    nz, nx, ny = pane.voxels.shape
    voxels = np.zeros((nz, nx, ny), np.uint16)
    voxels[nz // 2, 2, ny - 3] = 4095
    pane.load(voxels)
    for key in (None, Key.Key_M):
        if key:
            press(window, key)
        image = picture(window)
        row, column = np.unravel_index(image.argmax(), image.shape)
        assert column < image.shape[1] / 2
        assert row < image.shape[0] / 2
    assert pane.frame.letters(window.trial_page.image.view) == ("R", "L", "A", "P")


def test_a_turned_projection_carries_its_letters_with_it(window):
    go_to(window, State.VIEWING)
    press(window, Key.Key_M)
    pane = window.trial_page.image.panes[0]
    drag_across(pane.overlay, 0, 180)
    assert pane.frame.letters(window.trial_page.image.view) == ("R", "L", "S", "I")


def test_clicks_mark_the_voxel_that_is_seen(window, journal):
    """Whatever the zoom, and in a turned projection too."""
    go_to(window, State.CONFIDENCE)
    pane = window.trial_page.image.panes[0]
    nz, nx, ny = pane.voxels.shape
    bright = (2, nx - 4, 5)
    voxels = np.zeros((nz, nx, ny), np.uint16)
    voxels[bright] = 4095
    pane.load(voxels)

    def click_bright() -> None:
        right, down = pane.frame.on_screen(bright, window.trial_page.image.view)
        scale = pane.width() / pane.mm(pane.width(), 0)[0]
        click_at(pane.overlay, round(right * scale), round(down * scale))

    press(window, *[Key.Key_Down] * (window.trial_page.image.view.slice - bright[0]))
    click_bright()
    drag_across(pane.overlay, 0, -80, Qt.MouseButton.RightButton)
    drag_across(pane.overlay, -25, 40, keys=SHIFT)
    click_bright()
    press(window, Key.Key_M)
    drag_across(pane.overlay, 60, 75)
    click_bright()
    click_bright()
    marks = window.reading.session.snapshot.marks
    assert [tuple(mark["voxel"]) for mark in marks] == [bright] * 3
    press(window, Key.Key_4, Key.Key_Backspace, Key.Key_Return)
    wait_for(lambda: journal("commit"))
    assert len(journal("commit")[0].data["marks"]) == 2


def test_a_mark_is_drawn_where_it_was_clicked(window):
    go_to(window, State.CONFIDENCE)
    pane = window.trial_page.image.panes[0]
    click_at(pane.overlay, 50, -70)
    ((_, right, down, _),) = pane.overlay.annotations.marks
    half_voxel_px = pane.width() / pane.mm(pane.width(), 0)[0] * max(pane.frame.spacing) / 2
    assert abs(right - 50) <= half_voxel_px + 1
    assert abs(down + 70) <= half_voxel_px + 1


def test_marks_are_removed_when_the_answer_becomes_real(window):
    go_to(window, State.CONFIDENCE)
    click_at(window.trial_page.image.panes[0].overlay, 0, 0)
    assert window.trial_page.side.marks.isVisible()
    press(window, Key.Key_R)
    assert window.reading.session.snapshot.marks == ()
    assert not window.trial_page.side.marks.isVisible()
    click_at(window.trial_page.image.panes[0].overlay, 0, 0)
    assert window.reading.session.snapshot.marks == ()


def test_a_pause_hides_the_picture_and_keeps_the_answer(window, journal):
    go_to(window, State.RATED)
    pane = window.trial_page.image.panes[0]
    press(window, Key.Key_P)
    assert state(window) is State.PAUSED
    assert not pane.isVisible()
    assert not pane.model.layers[0].visible
    press(window, Key.Key_1)
    press(window, Key.Key_P)
    assert state(window) is State.RATED
    assert window.reading.session.snapshot.level == 4
    assert pane.isVisible()
    wait_for(lambda: journal("pause"))
    assert journal("pause")[0].data["reason"] == "key"


def test_switching_to_another_window_pauses(window, journal):
    go_to(window, State.VIEWING)
    other = QWidget()
    other.show()
    other.activateWindow()
    wait_for_state(window, State.PAUSED)
    assert "another window" in window.page.body.text()
    other.close()
    window.activateWindow()
    wait_for(lambda: journal("pause"))
    assert journal("pause")[0].data["reason"] == "focus lost"


def test_the_screen_is_blank_before_each_case(window, journal, monkeypatch):
    go_to(window, State.FEEDBACK)
    assert picture(window).max() > 50
    monkeypatch.setattr("napari_cowgan.reading.presenter.BLANK_S", 0.5)
    press(window, Key.Key_Return, Key.Key_Return)
    assert state(window) is State.LOADING
    while not window.trial_page.image.shown:
        assert picture(window).max() == 0
        QTest.qWait(5)
    wait_for(lambda: len(journal("shown")) == 2)
    assert picture(window).max() > 50
    assert journal("shown")[-1].mono_ns - journal("proceed")[-1].mono_ns >= 0.5e9


def test_the_next_case_is_read_ahead(window, package):
    go_to(window, State.FEEDBACK)
    upcoming = window.reading.session.upcoming
    wait_for(
        lambda: all(f.done() for f in map(window.reading._presenter.loader.request, upcoming.cases))
    )
    shutil.rmtree(package / "practice")
    press(window, Key.Key_Return, Key.Key_Return)
    wait_for_state(window, State.VIEWING)
    assert window.reading.session.trial == upcoming


def test_a_slow_disk_does_not_delay_the_reader(window, package, monkeypatch):
    """Nothing that a reader does touches the disk in the thread that draws."""
    users = defaultdict(set)

    def slow(function):
        def run(*arguments, **named):
            users[function.__name__].add(threading.current_thread())
            time.sleep(0.1)
            return function(*arguments, **named)

        return run

    for name in ("write", "fsync"):
        monkeypatch.setattr(os, name, slow(getattr(os, name)))
    monkeypatch.setattr("cowgan.turing.reading.package.read_bytes", slow(read_bytes))
    go_to(window, State.RATED)
    drag_across(window.trial_page.image.panes[0].overlay, 30, 20)
    press(window, Key.Key_P, Key.Key_P, Key.Key_M, Key.Key_R, Key.Key_2)
    go_to(window, State.FEEDBACK)
    go_to(window, State.RATED)
    assert set(users) == {"write", "fsync", "read_bytes"}
    assert threading.main_thread() not in set.union(*users.values())


def test_waiting_for_a_slow_disk_is_explained(window, monkeypatch):
    served = threading.Event()

    def wait_and_read(path, limit):
        served.wait(60)
        return read_bytes(path, limit)

    monkeypatch.setattr("cowgan.turing.reading.package.read_bytes", wait_and_read)
    go_to(window, State.FEEDBACK)
    go_to(window, State.INSTRUCTIONS)
    go_to(window, State.LOADING)
    wait_for(lambda: window.trial_page.side.hint.text() == "Loading…")
    served.set()
    wait_for_state(window, State.VIEWING)
    assert window.trial_page.side.hint.text() == ""


def test_the_view_cannot_be_changed_while_the_screen_is_blank(window):
    go_to(window, State.READY)
    press(window, Key.Key_Return, Key.Key_PageUp, Key.Key_M)
    drag_across(window.trial_page.image.panes[0].overlay, 50, 50)
    wait_for_state(window, State.VIEWING)
    assert window.trial_page.image.view == window.trial_page.image.frame.start


def test_viewed_slices_and_projections_are_recorded(window, journal):
    go_to(window, State.VIEWING)
    start = window.trial_page.image.view.slice
    QTest.qWait(150)
    press(window, Key.Key_Up)
    QTest.qWait(150)
    press(window, Key.Key_M)
    QTest.qWait(150)
    drag_across(window.trial_page.image.panes[0].overlay, 30, 10, keys=CTRL)
    press(window, Key.Key_M)
    go_to(window, State.FEEDBACK)
    looked = [record.data for record in journal("interaction") if "slice_ms" in record.data]
    dwell = {}
    for data in looked:
        for z, ms in data["slice_ms"].items():
            dwell[z] = dwell.get(z, 0) + ms
    assert set(dwell) == {str(start), str(start + 1)}
    assert min(dwell.values()) >= 140
    mip_ms = sum(data["mip_ms"] for data in looked)
    assert mip_ms >= 140
    (commit,) = journal("commit")
    assert abs(sum(dwell.values()) + mip_ms - commit.data["active_ms"]) < 100
    names = {name for data in looked for _, name, _ in data["changes"]}
    assert names == {"slice", "mip", "low", "high"}
    assert commit.data["seen"] is None


def test_the_share_of_slices_is_recorded_if_there_was_no_projection(window, journal):
    go_to(window, State.VIEWING)
    press(window, Key.Key_Up, Key.Key_Up, Key.Key_Down)
    go_to(window, State.FEEDBACK)
    assert journal("commit")[0].data["seen"] == 3 / 8


def test_the_journal_records_versions_and_screen(window, journal):
    go_to(window, State.VIEWING)
    wait_for(lambda: journal("shown"))
    context = journal("start")[0].data
    assert {"napari", "napari-cowgan", "numpy", "qt", "python"} == set(context["versions"])
    assert context["gl_renderer"]
    assert context["screen"]["size"] == [
        window.screen().size().width(),
        window.screen().size().height(),
    ]
    assert context["screen"]["device_pixel_ratio"] == window.devicePixelRatio()


def test_a_window_closed_in_the_middle_goes_on_at_the_same_case(window, package, journal):
    go_to(window, State.FEEDBACK)
    press(window, Key.Key_Return)
    go_to(window, State.RATED)
    window.close()
    assert journal("stop")

    again = open_window(package)
    assert state(again) is State.READY
    assert again.reading.session.trial.number == 2
    assert again.page.title.text() == "Practice 2 of 2"
    assert "interrupted" in again.page.body.text()
    go_to(again, State.VIEWING)
    assert again.reading.session.snapshot.answer is None
    go_to(again, State.FEEDBACK)
    assert [record.trial for record in journal("commit")] == [1, 2]
    assert journal("commit")[-1].data["restarted"] is True
    again.close()


def test_a_reader_who_declines_is_thanked_and_may_reconsider(window, package, journal):
    press(window, Key.Key_Return)
    click(window.page.other)
    assert state(window) is State.DECLINED
    window.close()
    assert not journal("commit")

    again = open_window(package)
    assert state(again) is State.INSTRUCTIONS
    again.close()


def test_a_second_enter_does_not_give_consent(window):
    press(window, Key.Key_Return, Key.Key_Return)
    assert state(window) is State.CONSENT


def test_breaks_come_between_blocks_and_show_progress(tmp_path, windows):
    package = make_package(tmp_path, Rules(break_trials=2), practice=0, block=2)
    window = windows(package)
    go_to(window, State.BREAK)
    assert "2 of 10" in window.page.body.text()
    press(window, Key.Key_Return)
    assert state(window) is State.READY


def test_after_a_long_look_a_hint_says_that_a_guess_is_fine(tmp_path, windows, monkeypatch):
    monkeypatch.setattr("napari_cowgan.reading.viewing_recorder._LOG_MS", 100)
    window = windows(make_package(tmp_path, Rules(hint_s=1)))
    go_to(window, State.VIEWING)
    wait_for(lambda: "guess is fine" in window.trial_page.side.hint.text())


def test_pairs_are_read_with_the_arrow_keys(tmp_path, windows):
    package = make_package(tmp_path, Rules("2afc"), cases=12)
    window = windows(package)
    go_to(window, State.VIEWING, Key.Key_Left)
    trial = window.reading.session.trial
    left, right = window.trial_page.image.panes
    opened = Package.open(package)
    assert np.array_equal(left.voxels, opened.volume(trial.cases[0]))
    assert np.array_equal(right.voxels, opened.volume(trial.cases[1]))
    press(window, Key.Key_R)
    assert state(window) is State.VIEWING
    press(window, Key.Key_Right)
    press(window, Key.Key_Up)
    assert left.model.dims.current_step == right.model.dims.current_step
    click_at(right.overlay, 0, 0)
    click_at(left.overlay, 0, 0)
    marks = window.reading.session.snapshot.marks
    assert [mark["case"] for mark in marks] == [trial.cases[1], trial.cases[0]]
    go_to(window, State.FINISHED, Key.Key_Left)
    answers = {
        record.data["answer"]
        for record in read_journal(package / "journal.jsonl")
        if record.kind == "commit"
    }
    assert answers == {"left", "right"}


def test_the_purpose_is_not_mentioned_before_it_is_revealed(tmp_path, windows):
    window = windows(make_package(tmp_path, impressions=2))
    shown_text = texts_of(window)
    while window.reading.session.trial.phase == "impression":
        shown_text += texts_of(window)
        press(window, Key.Key_G, Key.Key_R)
        step(window)
    for word in ("generated", "synthetic", "real", "fake", "turing", "computer program"):
        assert word not in shown_text.lower().replace("really", ""), word
    assert "Which is which" in texts_of(window)
    commits = [
        json.loads(line)["data"]
        for line in (tmp_path / "study/packages/sub-R01/journal.jsonl")
        .read_text(encoding="utf-8")
        .splitlines()
        if '"kind":"commit"' in line
    ]
    assert [commit["answer"] for commit in commits] == [None, None]
    assert [commit["level"] for commit in commits] == [4, 4]


def test_without_projections_or_marks_neither_is_offered(tmp_path, windows):
    window = windows(make_package(tmp_path, Rules(mip=False, marks=False)))
    go_to(window, State.CONFIDENCE)
    press(window, Key.Key_M)
    click_at(window.trial_page.image.panes[0].overlay, 0, 0)
    assert not window.trial_page.image.view.mip
    assert not window.trial_page.side.mip.isVisible()
    assert not window.trial_page.side.marks.isVisible()
    assert window.reading.session.snapshot.marks == ()


def test_no_part_of_napari_is_visible_or_reachable(window, package):
    go_to(window, State.VIEWING)
    foreign = (QDockWidget, QMenuBar, QStatusBar, QToolBar, QLineEdit, QAbstractSpinBox)
    for kind in foreign:
        assert not any(widget.isVisible() for widget in window.findChildren(kind)), kind
    shown = texts_of(window).lower()
    trial = window.reading.session.trial
    for word in ("napari", "layer", "cow-gan", package.name.lower(), *trial.cases):
        assert word not in shown
    file = next((package / "vol").glob("*.npy"))
    for widget in [window, *window.findChildren(QWidget)]:
        assert not drop(widget, file)
        if widget.isVisible():
            middle = widget.rect().center()
            event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, middle)
            QApplication.sendEvent(widget, event)
            assert QApplication.activePopupWidget() is None
    assert len(window.trial_page.image.panes[0].model.layers) == 1


def test_closing_a_window_twice_ends_it_once(window, journal):
    go_to(window, State.VIEWING)
    window.close()
    window.close()
    assert not window.isVisible()
    assert len(journal("stop")) == 1


def test_f11_toggles_full_screen(window):
    press(window, Key.Key_F11)
    assert window.isFullScreen()
    full = window.trial_page.side.full
    click(full) if full.isVisible() else press(window, Key.Key_F11)
    assert not window.isFullScreen()


def test_every_button_says_what_it_does(window):
    go_to(window, State.CONFIDENCE)
    buttons = [b for b in window.findChildren(QPushButton) if b.isVisible()]
    assert len(buttons) > 15
    for button in buttons:
        assert button.accessibleName()
        assert button.toolTip()
        assert button.focusPolicy() == Qt.FocusPolicy.TabFocus


def test_tab_and_space_press_buttons(window):
    go_to(window, State.VIEWING)
    press(window, Key.Key_Tab, Key.Key_Space)
    assert window.reading.session.snapshot.answer == "R"
    press(window, Key.Key_Tab, Key.Key_Space)
    assert window.reading.session.snapshot.answer == "G"


def test_nothing_is_cut_off(tmp_path, windows):
    window = windows(make_package(tmp_path, impressions=2))
    while window.reading.session.snapshot.position < 5:
        if state(window) not in FLEETING:
            for width, height in ((1200, 660), (1280, 800), (1600, 1000)):
                window.resize(width, height)
                wait_for(lambda: not clipped_texts(window), timeout_s=5)
        step(window)


def clipped_texts(window) -> list[str]:
    """Return the texts that are not to be seen whole."""
    found = []
    for widget in window.findChildren(QPushButton) + window.findChildren(QLabel):
        if widget.isVisible() and widget.text():
            shown = widget.visibleRegion().boundingRect()
            narrow = widget.width() < widget.minimumSizeHint().width()
            if narrow or shown.size() != widget.size():
                found.append(widget.text())
    return found
