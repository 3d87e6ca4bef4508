"""Links for reading in the browser, in the study panel."""

import shutil
from pathlib import Path

import pytest
from gui_events import click
from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication
from reading_pages import Browser, Page, served
from turing_studies import freeze, protocol

from cowgan.turing.study.study import Study
from napari_cowgan.study.panel import StudyPanel


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Study:
    small = protocol(cases=10, readers=2, repeats=0, practice=2, impressions=0)
    return freeze(tmp_path_factory.mktemp("links"), small)


@pytest.fixture
def panel(qtbot, made, tmp_path, monkeypatch) -> StudyPanel:
    monkeypatch.setattr("napari_cowgan.study.live_collection._LOOK_MS", 100)
    panel = StudyPanel(ViewerModel())
    qtbot.addWidget(panel)
    panel.resize(420, 1000)
    panel.show()
    panel.open_study(Path(shutil.copytree(made.folder, tmp_path / "study")))
    qtbot.waitUntil(lambda: panel.status is not None and not panel.job.running, timeout=60_000)
    return panel


def link_of(panel: StudyPanel) -> str:
    click(panel.browser.renew)
    click(panel.browser.copy)
    return QApplication.clipboard().text()


def line(panel: StudyPanel, row: int = 0) -> list[str]:
    item = panel.browser.list.topLevelItem(row)
    return [item.text(column) for column in range(3)]


def test_a_link_is_shown_once_renewed_and_revoked(panel):
    browser, folder = panel.browser, panel.status.study.folder
    assert line(panel) == ["sub-R01", "No link", ""]
    assert not browser.revoke.isEnabled()
    with served(folder) as port:
        first = link_of(panel)
        token = first.partition("#")[2]
        assert browser.link.text() == first
        assert "sub-R01" in browser.once.text()
        assert line(panel)[1].startswith("Valid until")
        assert Browser(port).enter(token).status == 204
        second = link_of(panel)
        assert second != first
        assert Browser(port).enter(token).status == 401
        click(browser.revoke)
        assert Browser(port).enter(second.partition("#")[2]).status == 401
    assert not browser.link.isVisible()
    assert browser.link.text() == ""
    assert line(panel)[1] == "No link"


def test_answers_arrive_by_themselves(panel, qtbot):
    with served(panel.status.study.folder) as port:
        page = Page.entered(port, link_of(panel).partition("#")[2])
        page.start()
        page.go_to("rated")
        page.step()
        qtbot.waitUntil(lambda: line(panel)[2] == "Reads", timeout=20_000)
        qtbot.waitUntil(lambda: panel.status.readers[0].done == 1, timeout=20_000)
        assert panel.readers.list.topLevelItem(0).text(1) == "Under way"
        page.act("stop")
        qtbot.waitUntil(lambda: line(panel)[2] == "", timeout=20_000)


def test_nobody_is_told_to_open_a_server_that_does_not_run(panel):
    browser, folder = panel.browser, panel.status.study.folder
    assert browser.command.text() == f'cowgan turing serve "{folder}"'
    assert browser.command.isVisible()
    click(browser.copy_command)
    assert QApplication.clipboard().text() == browser.command.text()
