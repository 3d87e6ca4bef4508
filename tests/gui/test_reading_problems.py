"""Problems around a reading, each reported in one sentence."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from gui_events import click
from qtpy.QtWidgets import QApplication
from reading_windows import Key, go_to, press, wait_for, wait_for_state

from cowgan.turing.reading.records import read_journal
from cowgan.turing.reading.snapshot import State

ROOT = Path(__file__).parents[2]


def change_volume(package):
    path = next((package / "vol").glob("*.npy"))
    path.write_bytes(path.read_bytes()[:-1] + b"\xff")


def lose_volume(package):
    next((package / "practice").glob("*.npy")).unlink()


def change_manifest(package):
    path = package / "manifest.json"
    path.write_text(
        path.read_text(encoding="utf-8").replace('"break_trials": 20', '"break_trials": 21'),
        encoding="utf-8",
    )


def lose_manifest(package):
    (package / "manifest.json").unlink()


@pytest.mark.parametrize(
    ("spoil", "word"),
    [
        (change_volume, "changed"),
        (lose_volume, "missing"),
        (change_manifest, "changed"),
        (lose_manifest, "not a reader's package"),
    ],
)
def test_a_changed_package_is_not_read(windows, package, spoil, word):
    spoil(package)
    window = windows(package)
    text = window.page.body.text()
    assert word in text.replace("&#x27;", "'")
    assert "Traceback" not in text
    assert not (package / "journal.jsonl").exists()
    click(window.page.go_on)
    assert "napari-cowgan" in QApplication.clipboard().text()
    click(window.page.other)
    assert not window.isVisible()


def test_a_second_start_is_refused_and_the_first_continues(windows, package, window):
    second = windows(package)
    assert second.reading is None
    assert "in use" in second.page.body.text()
    second.close()
    # A closed window leaves the keys to the other.
    go_to(window, State.READY)


def test_an_edited_journal_is_refused(windows, package, window):
    go_to(window, State.FEEDBACK)
    window.close()
    path = package / "journal.jsonl"
    path.write_text(
        path.read_text(encoding="utf-8").replace('"answer":"G"', '"answer":"R"'), encoding="utf-8"
    )
    text = windows(package).page.body.text()
    assert "cannot be trusted" in text


def test_a_folder_that_cannot_be_written_is_reported(windows, package, monkeypatch):
    real = os.open

    def refuse(path, flags, *more, **named):
        if str(path).startswith(str(package)) and flags & (os.O_WRONLY | os.O_RDWR):
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        return real(path, flags, *more, **named)

    monkeypatch.setattr(os, "open", refuse)
    assert "cannot be written" in windows(package).page.body.text()


def test_a_full_disk_holds_the_reading_until_there_is_space(window, package, monkeypatch):
    go_to(window, State.RATED)
    real, full = os.write, [True]

    def write(descriptor, content):
        if full[0] and b'"kind"' in bytes(content):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, content)

    monkeypatch.setattr(os, "write", write)
    press(window, Key.Key_Return)
    wait_for(lambda: "cannot be saved" in window.page.title.text())
    assert "full" in window.page.body.text()
    assert not window.trial_page.image.panes[0].isVisible()
    press(window, Key.Key_R, Key.Key_Return)
    wait_for(lambda: not window.reading._writer.retrying)
    assert "full" in window.page.body.text()

    window.close()
    assert window.isVisible(), "closed although answers would be lost"
    full[0] = False
    press(window, Key.Key_Return)
    wait_for(lambda: not window.isVisible())
    commits = [r for r in read_journal(package / "journal.jsonl") if r.kind == "commit"]
    assert [commit.trial for commit in commits] == [1]


def test_the_reading_continues_after_a_full_disk(window, monkeypatch):
    go_to(window, State.RATED)
    real, full = os.write, [True]

    def write(descriptor, content):
        if full[0] and b'"kind"' in bytes(content):
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, content)

    monkeypatch.setattr(os, "write", write)
    press(window, Key.Key_Return)
    wait_for(lambda: "cannot be saved" in window.page.title.text())
    full[0] = False
    press(window, Key.Key_Return)
    wait_for_state(window, State.FEEDBACK)
    go_to(window, State.VIEWING)


def test_a_volume_that_changes_during_the_reading_ends_it(windows, package, window):
    go_to(window, State.READY)
    loader = window.reading._presenter.loader
    loader.close()
    for path in (package / "practice").glob("*.npy"):
        path.write_bytes(path.read_bytes()[:-1] + b"\xff")
    loader.__init__(loader._package)
    press(window, Key.Key_Return)
    wait_for(lambda: window.failure is not None)
    assert "changed" in window.page.body.text()
    window.close()


def run(code: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(ROOT / "tests")},
    )


CLOSE_WHEN_TOLD = """
import sys
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QApplication
app = QApplication([])
def close():
    for window in app.topLevelWidgets():
        if window.isVisible() and (window.failure or window.reading):
            window.close()
timer = QTimer()
timer.timeout.connect(close)
timer.start(50)
sys.argv = ["cowgan", "turing", "read", sys.argv[1]]
from cowgan.cli import main
main()
"""


@pytest.mark.parametrize(("sound", "status"), [(True, 0), (False, 2)])
def test_the_program_ends_with_a_status(package, sound, status):
    if not sound:
        change_volume(package)
    process = run(CLOSE_WHEN_TOLD, package)
    _, errors = process.communicate(timeout=200)
    assert process.returncode == status, errors
    assert (package / "journal.jsonl").exists() == sound


READ_ON = """
import os, sys
from pathlib import Path
from qtpy.QtWidgets import QApplication
app = QApplication([])
from reading_windows import open_window, state, step
from cowgan.turing.reading.snapshot import State
window = open_window(Path(sys.argv[1]))
done = 0
while state(window) is not State.FINISHED:
    step(window)
    session = window.reading.session
    if session.snapshot.position > done and state(window) is not State.COMMITTING:
        done = session.snapshot.position
        os.write(1, b"%d\\n" % done)
"""


@pytest.mark.slow
def test_a_killed_window_loses_no_answer_and_shows_the_case_again(windows, package):
    for stop_after in (1, 5):
        process = run(READ_ON, package)
        reported = 0
        while reported < stop_after:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            reported = int(line)
        process.send_signal(signal.SIGKILL)
        process.wait()
        reported = max([reported, *map(int, re.findall(r"\d+", process.stdout.read()))])
        commits = [r.trial for r in read_journal(package / "journal.jsonl") if r.kind == "commit"]
        assert commits == list(range(1, len(commits) + 1))
        assert len(commits) >= reported
    window = windows(package)
    assert window.reading.session.snapshot.position == len(commits)
    go_to(window, State.FINISHED)
    commits = [
        json.loads(line)["trial"]
        for line in (package / "journal.jsonl").read_text(encoding="utf-8").splitlines()
        if '"kind":"commit"' in line
    ]
    assert commits == list(range(1, 13))
