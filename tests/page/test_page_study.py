"""A study that several readers read in browsers, through crashes, up to its report."""

import json
from itertools import cycle

import pytest
from page_browser import Reader, commits, records
from playwright.sync_api import Error
from reading_pages import free_port, start_server

from cowgan.turing.serving.links import new_tokens
from cowgan.turing.study.collection import collect, reader_progress


def read_all(readers: list[Reader], answers: dict[Reader, str]) -> None:
    """Let each do one thing after another, until all have finished."""
    reading = list(readers)
    while reading:
        for reader in list(reading):
            seen = reader.look()
            if (seen.title or "").startswith("Finished"):
                reading.remove(reader)
            else:
                reader.step(seen, answers[reader], "4")


@pytest.mark.slow
@pytest.mark.parametrize("study", ["long"], indirect=True)
def test_three_readers_at_once_lead_to_the_report(study, open_reader):
    from cowgan.turing.analysis import analyse
    from cowgan.turing.report.study_report import write_report

    readers = [open_reader(name) for name in study.readers]
    read_all(readers, dict(zip(readers, ("g", "r", "g"), strict=True)))
    codes = [reader.page.inner_text("#code") for reader in readers]
    with readers[0].page.expect_download() as download:
        readers[0].page.click("text=Save receipt")
    receipt = json.loads(download.value.path().read_text(encoding="utf-8"))
    assert receipt["finish_code"] == codes[0]

    collect(study, [study.package_folder(name) for name in study.readers])
    progress = [reader_progress(study, name) for name in study.readers]
    assert [one.state for one in progress] == ["finished"] * 3
    assert [one.finish_code for one in progress] == codes
    for name, answer in zip(study.readers, "GRG", strict=True):
        read = [one for one in commits(study, name) if one["phase"] == "reading"]
        assert [(one["answer"], one["level"]) for one in read] == [(answer, 4)] * 10
    (html, _) = write_report(analyse(study), study.folder.parent / "report")
    assert "sub-R03" in html.read_text(encoding="utf-8")


@pytest.mark.slow
def test_a_killed_server_loses_and_doubles_nothing(study, browser):
    """It is killed in each of three cases, and answers are given while it is away."""
    port = free_port()
    token = new_tokens(study.folder, ["sub-R01"])["sub-R01"]
    server = start_server(study.folder, port)
    with browser.new_context() as context:
        reader = Reader(context, f"http://127.0.0.1:{port}/#{token}").open()
        for case, answer in zip((1, 2, 3), cycle("gr")):
            reader.go_to_case(case).press(answer)
            server.kill()
            server.wait()
            reader.press("4", "Enter")
            reader.page.wait_for_timeout(100)
            server = start_server(study.folder, port)
            reader.wait_for_title(f"Case {case + 1}")
            reader.page.locator("#connection").wait_for(state="hidden")
    server.terminate()
    server.wait()
    answers = commits(study)
    assert [(one["answer"], one["level"]) for one in answers] == [("G", 4), ("R", 4), ("G", 4)]
    assert [one["restarted"] for one in answers] == [False] * 3


def test_a_browser_that_crashes_goes_on_with_the_case(study, open_reader):
    reader = open_reader().go_to_case(1)
    reader.press("g", "4", "Enter")
    reader.wait_for_title("Case 2")
    reader.go_to_case(2).press("r")
    with pytest.raises(Error, match="crash"):
        reader.page.goto("chrome://crash")
    again = Reader(reader.context, reader.link.partition("#")[0]).open()
    again.wait_for_title("This reading is open in another window")
    again.press("Enter")
    again.wait_for_title("Case 2")
    again.go_to_case(2).press("g", "2", "Enter")
    again.wait_for_title("Case 3")
    answers = commits(study)
    assert [(one["answer"], one["restarted"]) for one in answers] == [("G", False), ("G", True)]


def test_a_computer_that_slept_shows_no_image_and_counts_no_time(study, open_reader):
    reader = open_reader()
    reader.page.clock.install()
    reader.page.reload()
    reader.page.clock.resume()
    reader.go_to_case(1)
    reader.page.clock.fast_forward(3_600_000)
    reader.wait_for_title("Paused")
    assert not reader.picture().any()
    reader.press("p", "g", "4", "Enter")
    reader.wait_for_title("Case 2")
    assert commits(study)[0]["active_ms"] < 600_000
    assert "asleep" in [r.data["reason"] for r in records(study) if r.kind == "pause"]


@pytest.mark.slow
def test_a_slow_connection_brings_the_image_late_but_brings_it(study, open_reader):
    reader = open_reader().go_to("The reading")
    network = reader.context.new_cdp_session(reader.page)
    slow = {"offline": False, "latency": 0, "uploadThroughput": -1, "downloadThroughput": 600}
    network.send("Network.emulateNetworkConditions", slow)
    reader.go_to_case(1)
    assert reader.sees_image
