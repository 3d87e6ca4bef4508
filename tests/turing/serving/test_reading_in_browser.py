"""A reading over HTTP, from link to receipt."""

import json

import numpy as np
from reading_pages import started

from cowgan.turing.reading.package import Package
from cowgan.turing.reading.receipt import read_receipt
from cowgan.turing.reading.records import read_journal
from cowgan.turing.study.collection import collect, reader_progress


def records_of(study, reader="sub-R01"):
    return read_journal(study.package_folder(reader) / "journal.jsonl")


def test_a_reading_leads_from_the_link_to_the_receipt(study, port, tmp_path):
    page = started(port, study.folder)
    phases = page.browser.ask("GET", "/api/reading").json["phases"]
    early = page.browser.ask("GET", "/api/receipt")
    while page.state["state"] != "finished":
        page.step()
    receipt = page.browser.ask("GET", "/api/receipt")
    assert phases == [
        {"phase": "impression", "trials": 2},
        {"phase": "practice", "trials": 2},
        {"phase": "reading", "trials": 10},
    ]
    assert early.status == 404
    collect(study, [study.package_folder("sub-R01")])
    progress = reader_progress(study, "sub-R01")
    assert (progress.state, progress.done) == ("finished", 14)
    kept = tmp_path / "receipt.json"
    kept.write_bytes(receipt.body)
    assert read_receipt(kept).finish_code == page.state["finish_code"] == progress.finish_code


def test_the_voxels_are_those_of_the_package(study, port):
    page = started(port, study.folder)
    page.go_to("ready")
    name = page.state["trial"]["volumes"][0]
    reply = page.browser.ask("GET", f"/api/volumes/{name}")
    package = Package.open(study.package_folder("sub-R01"))
    voxels = package.volume(package.manifest.trials[0].cases[0])
    np.testing.assert_array_equal(
        np.frombuffer(reply.body, "<u2").reshape(voxels.shape), voxels, strict=True
    )


def test_who_declines_sees_no_volume(study, port):
    page = started(port, study.folder)
    page.go_to("consent")
    page.act("consent", given=False)
    assert page.state["state"] == "declined"
    assert page.state["trial"]["volumes"] == page.state["upcoming"] == []


def test_times_are_those_of_the_page(study, port):
    page = started(port, study.folder)
    page.go_to("viewing")
    page.at_ms += 4000
    page.act("level", level=2)
    page.at_ms += 7000
    page.act("pause", reason="key")
    page.at_ms += 60_000
    page.act("unpause")
    page.act("commit", seen=None)
    commit = records_of(study)[-1].data
    # A second before each action, and those above.
    assert commit["active_ms"] == 5000 + 8000 + 1000
    assert commit["total_ms"] == 5000 + 8000 + 61_000 + 1000


def test_a_clock_that_runs_backwards_is_held(study, port):
    page = started(port, study.folder)
    page.go_to("viewing")
    late = page.action("level", level=2)
    page.send(late | {"at_ms": 5.0})
    assert page.state["level"] == 2
    times = [record.mono_ns for record in records_of(study)[1:]]
    assert times == sorted(times)


def test_marks_follow_the_answer(study, port):
    page = started(port, study.folder)
    while page.state["trial"]["phase"] != "reading":
        page.step()
    page.go_to("viewing")
    refused = page.send(page.action("mark", voxel=[1, 2, 3], volume=0)).json["results"][0]
    page.act("answer", answer="G")
    outside = page.send(page.action("mark", voxel=[1, 2, 300], volume=0)).json["results"][0]
    page.act("mark", voxel=[1, 2, 3], volume=0)
    page.act("toggle_reason", reason="Too clean")
    assert (refused["result"], outside["result"]) == ("refused", "refused")
    assert page.state["marks"] == [{"voxel": [1, 2, 3], "volume": 0, "reasons": ["Too clean"]}]
    page.act("answer", answer="R")
    assert page.state["marks"] == []


def test_an_answer_for_another_case_is_refused(study, port):
    page = started(port, study.folder)
    page.go_to("viewing")
    wrong = page.action("level", level=1) | {"trial": page.state["trial"]["number"] + 1}
    after = page.action("level", level=5)
    results = page.send(wrong, after).json["results"]
    assert [result["result"] for result in results] == ["refused", "skipped"]
    assert page.state["level"] is None


def test_the_right_answer_is_told_only_after_practice_is_answered(study, port):
    page = started(port, study.folder)
    while page.state["trial"]["phase"] != "practice":
        assert page.state["feedback"] is None
        page.step()
    while page.state["state"] != "feedback":
        assert page.state["feedback"] is None
        page.step()
    assert page.state["feedback"]["expected"] in ("R", "G")
    told = json.dumps(page.state)
    page.step()
    assert "expected" in told
    assert page.state["feedback"] is None
