"""Runs watched and controlled from another process."""

import csv
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from training_banks import (
    TINY,
    TINY_NETWORK,
    assert_same_state,
    finish,
    make_bank,
    start,
    wait_until,
)

from cowgan.bank.bank import Bank
from cowgan.errors import CowganError
from cowgan.training.config import preset
from cowgan.training.log import LOG_FILE, LogFollower
from cowgan.training.remote_control import RunStatus, is_running, read_status, request
from cowgan.training.run import resume_run, start_run
from cowgan.training.run_state import read_description

ENDLESS = 100_000


@pytest.fixture(scope="module")
def bank(tmp_path_factory) -> Bank:
    return make_bank(tmp_path_factory.mktemp("bank") / "bank")


@pytest.fixture
def run(bank: Bank, tmp_path: Path):
    """Return the folder of an endless run, and its process."""
    folder = tmp_path / "run"
    process = start(*("train", "--bank", bank.path, "--out", folder), *TINY, "--steps", ENDLESS)
    wait_until(lambda: steps_done(folder) > 0, process)
    yield folder, process
    process.kill()
    process.communicate()


def status_of(folder: Path) -> RunStatus:
    status = read_status(folder)
    assert status is not None
    return status


def steps_done(folder: Path) -> int:
    status = read_status(folder)
    return 0 if status is None else status.step


def is_in(folder: Path, state: str) -> Callable[[], bool]:
    return lambda: status_of(folder).state == state


def cpu_seconds(process: subprocess.Popen[str]) -> float:
    psutil = pytest.importorskip("psutil")
    used = psutil.Process(process.pid).cpu_times()
    return used.user + used.system


def test_a_run_is_watched_paused_resumed_and_stopped(run, single_sentence) -> None:
    folder, process = run
    status = status_of(folder)
    assert status.state == "training"
    assert status.pid == process.pid
    assert (status.steps, status.device) == (ENDLESS, "cpu")
    assert status.images_seen == 4 * status.step
    assert status.images_per_s > 0
    # Both are rounded.
    left = 4 * (ENDLESS - status.step) / status.images_per_s
    assert status.eta_s == pytest.approx(left, rel=0.01)
    assert status.peak_memory_mb > 0
    assert time.time() - status.updated < 30

    request(folder, "pause")
    wait_until(is_in(folder, "paused"), process)
    paused = status_of(folder)
    assert read_description(folder).counters.step == paused.step
    before = cpu_seconds(process)
    time.sleep(1)
    assert status_of(folder).step == paused.step
    assert cpu_seconds(process) - before < 0.2

    result = finish("train", "--resume", folder)
    assert result.returncode == 2
    assert result.stderr.rstrip().endswith(f"Another process is training the run in {folder}.")

    request(folder, "resume")
    wait_until(lambda: status_of(folder).step > paused.step, process)
    request(folder, "stop")
    process.wait(60)
    stopped = status_of(folder)
    assert stopped.state == "stopped"
    assert read_description(folder).counters.step == stopped.step
    with pytest.raises(CowganError) as refusal:
        request(folder, "pause")
    single_sentence(refusal)


def test_a_paused_run_can_be_stopped(run) -> None:
    folder, process = run
    request(folder, "pause")
    wait_until(is_in(folder, "paused"), process)
    request(folder, "stop")
    process.wait(60)
    assert status_of(folder).state == "stopped"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_a_run_with_its_state_saved(run, number: signal.Signals) -> None:
    folder, process = run
    process.send_signal(number)
    process.wait(60)
    stopped = status_of(folder)
    assert stopped.state == "stopped"
    assert read_description(folder).counters.step == stopped.step > 0


def test_a_killed_run_reads_as_interrupted_and_resumes(run) -> None:
    folder, process = run
    process.kill()
    process.wait()
    killed = status_of(folder)
    assert killed.state == "interrupted"
    assert killed.sentence.endswith(".")
    assert not is_running(folder)
    resume_run(folder, device="cpu", steps=read_description(folder).counters.step + 2)
    assert status_of(folder).state == "finished"


def test_pauses_change_no_weight(bank: Bank, tmp_path: Path, single_threaded) -> None:
    config = preset("modern", TINY_NETWORK).with_changes(batch=2, accumulate=1, steps=6)
    start_run(tmp_path / "whole", bank, config, "cpu")

    pauses = []

    class Impatient:
        """Resumes a run as soon as it is paused."""

        @property
        def cancelled(self) -> bool:
            if status_of(tmp_path / "paused").state == "paused":
                pauses.append(status_of(tmp_path / "paused").step)
                request(tmp_path / "paused", "resume")
            return False

        def report(self, done: int, total: int, message: str = "") -> None:
            if done == 3:
                request(tmp_path / "paused", "pause")

    start_run(tmp_path / "paused", bank, config, "cpu", progress=Impatient())
    assert pauses == [4]
    assert_same_state(tmp_path / "whole", tmp_path / "paused")


def test_how_a_run_ends_can_be_read(bank: Bank, tmp_path: Path) -> None:
    config = preset("modern", TINY_NETWORK).with_changes(batch=2, accumulate=1, steps=2)
    assert read_status(tmp_path) is None
    start_run(tmp_path / "run", bank, config, "cpu")
    finished = status_of(tmp_path / "run")
    assert (finished.state, finished.step, finished.eta_s) == ("finished", 2, None)
    with pytest.raises(CowganError) as failure:
        resume_run(tmp_path / "run", make_bank(tmp_path / "other", 5), "cpu", steps=4)
    failed = status_of(tmp_path / "run")
    assert (failed.state, failed.sentence) == ("failed", failure.value.sentence)


def test_an_unwritable_folder_is_reported_in_one_sentence(
    bank: Bank, tmp_path: Path, single_sentence
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CowganError) as refusal:
        start_run(tmp_path / "file" / "run", bank, preset("modern", TINY_NETWORK), "cpu")
    assert str(tmp_path / "file") in single_sentence(refusal)


def test_the_log_is_followed_row_by_row_through_a_kill_and_a_resume(run) -> None:
    folder, process = run
    follower = LogFollower(folder / LOG_FILE)
    restarted, rows = follower.read()
    assert restarted
    while len(rows) < 20:
        wait_until(lambda: process.poll() is None, process)
        again, more = follower.read()
        assert not again
        rows += more
    process.kill()
    process.wait()
    saved = read_description(folder).counters.step
    rows += follower.read()[1]
    assert [row["step"] for row in rows] == list(range(1, len(rows) + 1))
    assert len(rows) >= saved
    assert all({"generator", "discriminator", "images_per_s"} <= row.keys() for row in rows)

    with (folder / LOG_FILE).open("a", encoding="utf-8") as log:
        log.write("123456,7")
    assert follower.read() == (False, [])
    resume_run(folder, device="cpu", steps=saved + 2)
    restarted, rows = follower.read()
    assert restarted
    assert [row["step"] for row in rows] == list(range(1, saved + 3))
    with (folder / LOG_FILE).open(newline="", encoding="utf-8") as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == list(range(1, saved + 3))
