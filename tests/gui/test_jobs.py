"""Jobs run in a thread, report to the GUI thread, and end when the user wants."""

import threading

import pytest
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QPushButton

from cowgan.errors import Cancelled, CowganError
from cowgan.progress import advance
from napari_cowgan.widgets import jobs
from napari_cowgan.widgets.jobs import JobBar


@pytest.fixture
def bar(qtbot) -> JobBar:
    bar = JobBar()
    qtbot.addWidget(bar)
    return bar


@pytest.fixture
def outcomes() -> dict[str, list]:
    return {"success": [], "failure": [], "stop": []}


def start(bar: JobBar, work, outcomes) -> None:
    bar.run(
        "Thing",
        work,
        lambda result: outcomes["success"].append((result, threading.current_thread())),
        lambda error: outcomes["failure"].append((error, threading.current_thread())),
        lambda: outcomes["stop"].append(threading.current_thread()),
    )


def until_told_to_stop(progress) -> None:
    while True:
        advance(progress, 0, 10)
        threading.Event().wait(0.01)


def wait_until_over(bar: JobBar, qtbot) -> None:
    qtbot.waitUntil(lambda: not bar.running, timeout=10_000)


def test_a_result_arrives_in_the_gui_thread(bar, outcomes, qtbot):
    started_in = []
    start(bar, lambda _: started_in.append(threading.current_thread()) or 7, outcomes)
    wait_until_over(bar, qtbot)
    assert outcomes["success"] == [(7, threading.main_thread())]
    assert started_in != [threading.main_thread()]
    assert not bar.isVisible()


def test_a_failure_arrives_in_the_gui_thread(bar, outcomes, qtbot):
    error = CowganError("It broke.")

    def work(progress) -> None:
        raise error

    start(bar, work, outcomes)
    wait_until_over(bar, qtbot)
    assert outcomes == {"success": [], "failure": [(error, threading.main_thread())], "stop": []}


def test_cancel_stops_the_work_and_shows_that_it_is_stopping(bar, outcomes, qtbot):
    bar.show()
    start(bar, until_told_to_stop, outcomes)
    button = bar.findChild(QPushButton)
    button.click()
    assert (button.text(), button.isEnabled()) == ("Cancelling…", False)
    wait_until_over(bar, qtbot)
    assert outcomes == {"success": [], "failure": [], "stop": [threading.main_thread()]}
    start(bar, lambda _: 1, outcomes)
    assert (button.text(), button.isEnabled()) == ("Cancel", True)
    wait_until_over(bar, qtbot)


@pytest.mark.parametrize("replaced", [True, False])
def test_the_result_of_an_abandoned_job_never_arrives(bar, outcomes, qtbot, replaced):
    go_on, done = threading.Event(), threading.Event()

    def late(progress) -> str:
        go_on.wait(10)
        done.set()
        return "late"

    start(bar, late, outcomes)
    if replaced:
        start(bar, lambda _: go_on.set() or (done.wait(10) and "new"), outcomes)
        wait_until_over(bar, qtbot)
    else:
        bar.stop()
        go_on.set()
        done.wait(10)
    QTest.qWait(100)
    assert [result for result, _ in outcomes["success"]] == (["new"] if replaced else [])
    assert outcomes["failure"] == outcomes["stop"] == []


def test_a_job_that_ends_at_once_leaves_nothing_disabled(bar, outcomes, qtbot):
    seen = []
    bar.running_changed.connect(seen.append)
    for _ in range(30):
        start(bar, lambda _: None, outcomes)
        wait_until_over(bar, qtbot)
    assert seen == [True, False] * 30
    assert len(outcomes["success"]) == 30


def test_a_callback_can_start_a_new_job(bar, outcomes, qtbot):
    def fail(progress) -> None:
        raise CowganError("No.")

    bar.run("First", fail, lambda _: None, lambda _: start(bar, lambda _: "second", outcomes))
    qtbot.waitUntil(lambda: bool(outcomes["success"]), timeout=10_000)
    wait_until_over(bar, qtbot)
    assert outcomes["success"][0][0] == "second"


def test_reports_are_shown_but_not_more_often_than_ten_times_a_second(bar, outcomes, qtbot):
    shown = []

    def work(progress) -> None:
        for i in range(3000):
            progress.report(i, 3000)
        progress.report(3000, 3000, "last.nii.gz")

    bar._bar.valueChanged.connect(shown.append)
    start(bar, work, outcomes)
    wait_until_over(bar, qtbot)
    assert shown[-1] == 3000
    assert len(shown) < 30
    assert bar._bar.text() == "Thing 3000 of 3000"


def test_partial_results_arrive_in_order_before_the_end(bar, outcomes, qtbot):
    parts = []

    def work(job) -> None:
        for part in range(5):
            job.deliver(part)

    bar.run(
        "Thing",
        work,
        lambda _: parts.append("end"),
        outcomes["failure"].append,
        on_part=lambda part: parts.append((part, threading.current_thread())),
    )
    wait_until_over(bar, qtbot)
    assert parts == [*((part, threading.main_thread()) for part in range(5)), "end"]


def test_work_stops_cleanly_after_its_bar_is_deleted(qtbot):
    """As when a panel is closed: the thread goes on delivering results for a while."""
    stopped = threading.Event()

    def work(job) -> None:
        try:
            while True:
                job.deliver(1)
                advance(job, 0, 10)
        except Cancelled:
            stopped.set()
            raise

    for _ in range(20):
        bar = JobBar()
        bar.run("Thing", work, lambda _: None, lambda _: None)
        QTest.qWait(5)
        bar.deleteLater()
        del bar
        qtbot.waitUntil(stopped.is_set, timeout=5_000)
        stopped.clear()
    qtbot.waitUntil(lambda: not jobs._unfinished, timeout=5_000)
