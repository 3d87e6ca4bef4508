"""Tests of process pools: failures, crashes, cancellation and orphans."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from cowgan import pool
from cowgan.errors import CowganError

_WORK = """
import os, sys, time
from cowgan.errors import CowganError
def work(item):
    if item == "bad":
        raise CowganError("A bad scan.")
    if item == "odd":
        raise ZeroDivisionError
    if str(item).startswith("crash"):
        os._exit(9)
    if str(item).startswith("sleep"):
        time.sleep(float(item[5:]))
    return str(item).upper()
"""


@pytest.fixture
def work(tmp_path, monkeypatch):
    (tmp_path / "pool_work.py").write_text(_WORK, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    sys.modules.pop("pool_work", None)
    from pool_work import work

    return work


@pytest.mark.parametrize("jobs", [1, 2])
def test_one_failure_does_not_stop_the_others(work, jobs):
    results = dict(pool.run_all(work, ["a", "bad", "b", "odd", "c"], jobs))
    assert {item: results[item] for item in "abc"} == {"a": "A", "b": "B", "c": "C"}
    assert results["bad"].sentence == "A bad scan."
    assert "ZeroDivisionError" in results["odd"].detail


def test_a_crash_takes_only_its_own_item_along(work):
    results = dict(pool.run_all(work, ["crash0", "a", "crash1", "b", "crash2", "c", "d"], 2))
    assert all(isinstance(results.pop(f"crash{number}"), CowganError) for number in range(3))
    assert results == {"a": "A", "b": "B", "c": "C", "d": "D"}


class _CancelAfter:
    def __init__(self) -> None:
        self.cancelled = False

    def report(self, done: int, total: int, message: str = "") -> None: ...


@pytest.mark.parametrize("jobs", [1, 2])
def test_cancelling_keeps_what_was_begun(work, jobs):
    progress = _CancelAfter()
    finished = []
    for item, result in pool.run_all(work, [f"sleep0.{n:02}" for n in range(20)], jobs, progress):
        finished.append(item)
        assert not isinstance(result, CowganError)
        progress.cancelled = True
    assert 1 <= len(finished) <= jobs + 1


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
def test_a_killed_parent_leaves_no_process_behind(work, tmp_path):
    script = tmp_path / "main.py"
    script.write_text(
        "from pool_work import work\nfrom cowgan.pool import run_all\n"
        "if __name__ == '__main__':\n"
        "    for item, _ in run_all(work, ['a', 'b', 'sleep60', 'sleep61'], 2):\n"
        "        print(item, flush=True)\n",
        encoding="utf-8",
    )
    process = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, encoding="utf-8")
    assert process.stdout is not None
    process.stdout.readline()
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive


def test_a_script_without_a_guard_is_reported(work, tmp_path):
    script = Path(tmp_path, "unguarded.py")
    script.write_text(
        "from pool_work import work\nfrom cowgan.pool import run_all\n"
        "print(dict(run_all(work, ['a', 'b'], 2)))\n",
        encoding="utf-8",
    )
    start = time.monotonic()
    result = subprocess.run(
        [sys.executable, script], capture_output=True, encoding="utf-8", timeout=120, check=False
    )
    assert "__main__" in result.stderr
    assert "No helper process could be started" in result.stderr
    assert time.monotonic() - start < 100
