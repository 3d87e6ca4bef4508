"""Tests of nnU-Net in another process: progress, death, cancelling, garbage."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fake_nnunet import fake_python

from cowgan.errors import Cancelled, CowganError
from cowgan.progress import Silent
from cowgan.segmentation.nnunet_process import RUNNER, nnunet_process

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the fake Python is a shell script")


class Recorder:
    """Remembers progress, and cancels when a file exists."""

    def __init__(self, cancel_at: Path | None = None) -> None:
        self.reports, self._cancel_at = [], cancel_at

    def report(self, done: int, total: int, message: str = "") -> None:
        self.reports.append((done, total, message))

    @property
    def cancelled(self) -> bool:
        return self._cancel_at is not None and self._cancel_at.exists()


def run(tmp_path, action: str, progress=None):
    python = fake_python(tmp_path / "fake", work=action)
    with (
        (tmp_path / "log").open("a+b") as log,
        nnunet_process(python, log, progress or Silent(), {"action": "work"}) as process,
    ):
        return list(process.reports())


def is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_progress_arrives_and_foreign_lines_do_not_matter(tmp_path) -> None:
    recorder = Recorder()
    action = (
        "print('garbage'); print('{\"kind\": \"unheard of\"}'); print('{'); print('[1]')\n"
        "say('progress', done=1, total=2, message='epoch 1 of 2')\n"
        "sys.stdout.buffer.write(b'\\xff\\xfe\\n'); say('ready')"
    )
    assert [one.kind for one in run(tmp_path, action, recorder)] == ["ready"]
    assert recorder.reports == [(1, 2, "epoch 1 of 2")]


def test_a_killed_process_is_reported_with_its_last_words(tmp_path) -> None:
    action = "log('first'); log('second'); os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(CowganError) as caught:
        run(tmp_path, action)
    assert "killed (SIGKILL), as happens when memory runs out" in caught.value.sentence
    assert "first | second" in caught.value.sentence


def test_the_last_words_are_those_of_this_process(tmp_path) -> None:
    (tmp_path / "log").write_text("of an earlier run\n", encoding="utf-8")
    with pytest.raises(CowganError) as caught:
        run(tmp_path, "sys.exit(7)")
    assert "exit status 7" in caught.value.sentence
    assert "earlier" not in caught.value.sentence + caught.value.detail


def test_a_failure_that_nnunet_explains_is_one_sentence(tmp_path) -> None:
    action = "say('problem', message='memory ran out', detail='Traceback'); sys.exit(1)"
    with pytest.raises(CowganError) as caught:
        run(tmp_path, action)
    assert caught.value.sentence == "nnU-Net failed: memory ran out."
    assert caught.value.detail == "Traceback"


def test_an_end_without_a_result_is_an_error(tmp_path) -> None:
    with pytest.raises(CowganError, match="before it was done"):
        run(tmp_path, "sys.exit(0)")


def test_cancelling_ends_a_hanging_process_and_its_children(tmp_path) -> None:
    started = tmp_path / "started"
    action = (
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"Path({str(started)!r} + '.part').write_text(f'{{os.getpid()}} {{child.pid}}')\n"
        f"os.rename({str(started)!r} + '.part', {str(started)!r}); time.sleep(600)"
    )
    with pytest.raises(Cancelled):
        run(tmp_path, action, Recorder(started))
    pids = [int(pid) for pid in started.read_text(encoding="utf-8").split()]
    assert len(pids) == 2
    assert not [pid for pid in pids if is_alive(pid)]


def test_children_of_a_killed_process_do_not_keep_the_program_waiting(tmp_path) -> None:
    noted = tmp_path / "pid"
    action = (
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"Path({str(noted)!r}).write_text(str(child.pid))\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    with pytest.raises(CowganError, match="SIGKILL"):
        run(tmp_path, action)
    assert not is_alive(int(noted.read_text(encoding="utf-8")))


def test_variables_of_this_python_are_not_passed_on(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.setenv("nnUNet_def_n_proc", "3")
    action = (
        "say('progress', done=0, total=0, message=str(os.environ.get('PYTHONPATH')) + "
        "os.environ['nnUNet_def_n_proc'])"
    )
    recorder = Recorder()
    run(tmp_path, action, recorder)
    assert recorder.reports == [(0, 0, "None3")]


def test_a_busy_runner_ends_with_the_program_that_started_it(tmp_path) -> None:
    package = tmp_path / "nnunetv2"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "configuration.py").write_text(
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(child.pid, file=sys.stderr, flush=True)\n"
        "time.sleep(600)\n",
        encoding="utf-8",
    )
    process = subprocess.Popen(
        [sys.executable, RUNNER],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert process.stdin is not None and process.stderr is not None
    process.stdin.write(b'{"action": "prepare", "dataset": "Dataset001_A"}\n')
    process.stdin.flush()
    child = int(process.stderr.readline())
    assert is_alive(child)
    process.stdin.close()
    assert process.wait(60) == -signal.SIGTERM
    until = time.monotonic() + 10
    while is_alive(child) and time.monotonic() < until:
        time.sleep(0.05)
    assert not is_alive(child)
