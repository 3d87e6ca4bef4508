"""A reading over HTTP, from link to receipt."""

import numpy as np
import pytest
from reading_pages import served, started
from turing_studies import freeze, protocol

from cowgan.turing.reading.package import Package
from cowgan.turing.study.collection import collect, reader_progress


@pytest.fixture
def study(tmp_path):
    return freeze(tmp_path, protocol(cases=10, repeats=0, practice=2, impressions=2))


def test_a_reading_leads_from_the_link_to_the_finish_code(study):
    with served(study.folder) as port:
        page = started(port, study.folder)
        phases = [page.browser.ask("GET", "/api/reading").json["phases"]]
        while page.state["state"] != "finished":
            page.step()
        receipt = page.browser.ask("GET", "/api/receipt")
    assert phases == [
        [
            {"phase": "impression", "trials": 2},
            {"phase": "practice", "trials": 2},
            {"phase": "reading", "trials": 10},
        ]
    ]
    collect(study, [study.package_folder("sub-R01")])
    progress = reader_progress(study, "sub-R01")
    assert (progress.state, progress.done) == ("finished", 14)
    assert page.state["finish_code"] == progress.finish_code == receipt.json["finish_code"]


def test_the_voxels_are_those_of_the_package(study):
    with served(study.folder) as port:
        page = started(port, study.folder)
        page.go_to("ready")
        name = page.state["trial"]["volumes"][0]
        reply = page.browser.ask("GET", f"/api/volumes/{name}")
    package = Package.open(study.package_folder("sub-R01"))
    voxels = package.volume(package.manifest.trials[0].cases[0])
    assert reply.headers["cache-control"].startswith("no-store")
    np.testing.assert_array_equal(
        np.frombuffer(reply.body, "<u2").reshape(voxels.shape), voxels, strict=True
    )
