"""The study panel on real files: the whole way of a study, and what goes wrong on it."""

import shutil
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
import reading_windows
from gui_events import click, drop
from napari.components import ViewerModel
from qtpy.QtCore import QObject, QPoint, Qt, Signal
from qtpy.QtGui import QDesktopServices
from qtpy.QtTest import QTest
from qtpy.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDockWidget,
    QFileDialog,
    QInputDialog,
    QLabel,
    QMessageBox,
    QPushButton,
    QTreeWidget,
)
from study_panels import Key, come_back_to, press, push, tab_to, type_into, write_phantoms
from turing_readers import observer, play, read_all
from turing_studies import freeze, protocol, write_model

from cowgan.turing.design.protocol import Protocol
from cowgan.turing.design.sources import CheckpointSource, FolderSource
from cowgan.turing.design.trials import Rules
from cowgan.turing.reading.package import JOURNAL_FILE, Package
from cowgan.turing.reading.session import Session
from cowgan.turing.reading.snapshot import State
from cowgan.turing.study.collection import journal_path
from cowgan.turing.study.creation import new_study
from cowgan.turing.study.publication import frozen_line
from cowgan.turing.study.study import STUDY_FILE, Study
from cowgan.turing.study.unblinding import collection_sha256, read_unblinding
from cowgan.turing.verification import verify
from napari_cowgan.study import show_study_panel
from napari_cowgan.study.panel import StudyPanel
from napari_cowgan.study.reading_process import ReadingProcess
from napari_cowgan.widgets.controls import Section
from napari_cowgan.widgets.remembered import recent

WIDTH = 380


@pytest.fixture(autouse=True)
def short_simulation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_cowgan.study.power_view._REPLICATES", 20)


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_phantoms(tmp_path_factory.mktemp("phantoms"), 6)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "tiny.safetensors")


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """Freeze a study of three readers only once; nobody reads its packages."""
    small = protocol(readers=3, repeats=0, practice=2, impressions=0)
    return freeze(tmp_path_factory.mktemp("made"), small)


@pytest.fixture(scope="session")
def leaking(tmp_path_factory: pytest.TempPathFactory, phantoms: Path, model: Path) -> Study:
    """Make a study that its audit does not let freeze."""
    folder = tmp_path_factory.mktemp("leaking") / "study"
    small = Protocol(1, readers=1, cases=10, repeats=0, practice=2)
    return new_study(folder, FolderSource(phantoms), CheckpointSource(model, 1, "cpu"), small)


@pytest.fixture
def panel(qtbot) -> StudyPanel:
    """Return a panel that stands alone, which suffices for most of what it does."""
    panel = StudyPanel(ViewerModel())
    qtbot.addWidget(panel)
    panel.resize(400, 900)
    panel.show()
    panel.activateWindow()
    qtbot.waitUntil(panel.isActiveWindow)
    return panel


@pytest.fixture
def docked_panel(viewer) -> StudyPanel:
    """Return a panel in a napari window."""
    return show_study_panel(viewer)


@pytest.fixture
def finish(qtbot) -> Callable[[StudyPanel], None]:
    """Wait until a panel is done with what it works on."""

    def wait(panel: StudyPanel) -> None:
        qtbot.waitUntil(
            lambda: not panel.job.running and not panel.audit.pictures.job.running, timeout=60_000
        )

    return wait


@pytest.fixture
def opened(panel, made, tmp_path, finish) -> StudyPanel:
    """Return a panel with a frozen study of its own."""
    return show(panel, made, tmp_path, finish)


def show(panel: StudyPanel, study: Study, folder: Path, finish) -> StudyPanel:
    copied = Path(shutil.copytree(study.folder, folder / "study"))
    panel.open_study(copied)
    finish(panel)
    return panel


def study_of(panel: StudyPanel) -> Study:
    return panel.status.study


def given_out(panel: StudyPanel, reader: str, folder: Path) -> Path:
    """Return a reader's package as the reader has it, elsewhere."""
    return Path(shutil.copytree(study_of(panel).package_folder(reader), folder / reader))


def read(panel: StudyPanel, folder: Path, trials: float = 1000, seed: int = 0) -> str | None:
    return play(folder, observer(study_of(panel), folder.name, 0.5, seed=seed), trials)


def rows(panel: StudyPanel) -> list[list[str]]:
    """Return what the list of readers shows of each: name, state and trials."""
    tree = panel.readers.list
    items = [tree.topLevelItem(line) for line in range(tree.topLevelItemCount())]
    return [[item.text(0), item.text(1), tree.itemWidget(item, 2).text()] for item in items]


def texts(widget) -> str:
    """Return all that a widget says."""
    shown = [label.text() for label in widget.findChildren(QLabel) if label.isVisible()]
    return "\n".join(shown).replace("\u200b", "")


def answer_question(panel: StudyPanel, key: Qt.Key) -> None:
    """Press a key once the question has come to the front."""
    reading_windows.wait_for(panel.local_reading.question.isActiveWindow)
    press(key)
    reading_windows.wait_for(lambda: panel.local_reading.question is None)


def type_code(panel: StudyPanel, code: str) -> None:
    """Type into the dialog that has come to the front."""
    dialog = panel.readers.findChild(QInputDialog)
    reading_windows.wait_for(dialog.isActiveWindow)
    QTest.keyClicks(QApplication.focusWidget(), code)
    press(Key.Key_Return)


def choose(parent, path: Path) -> None:
    """Choose a path in the dialog that is open."""
    (dialog,) = [one for one in parent.findChildren(QFileDialog) if one.isVisible()]
    dialog.fileSelected.emit(str(path))
    dialog.close()


@pytest.fixture
def browsed(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return the list of what other programs are asked to show."""
    shown: list[Path] = []

    def browse(url) -> bool:
        shown.append(Path(url.toLocalFile()))
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", browse)
    return shown


class ReadingHere(QObject):
    """Stands for the process of the reading window: the same window, in this process."""

    ended = Signal(object)

    def __init__(self, package: Path, parent: QObject) -> None:
        super().__init__(parent)
        self.window = reading_windows.open_window(package)
        self.window.destroyed.connect(lambda: self.ended.emit(None))

    def read(self) -> str:
        """Press the keys that lead to the end, and return the finish code."""
        reading_windows.go_to(self.window, State.FINISHED)
        code = self.window.reading.session.finish_code
        self.window.close()
        self.window.deleteLater()
        return code


def test_a_study_goes_from_the_plan_to_the_report(
    viewer, phantoms, model, tmp_path, qtbot, finish, browsed, short_blank, monkeypatch
):
    _, panel = viewer.window.add_plugin_dock_widget("napari-cowgan", "Turing study")
    panel.new.setFocus()
    press(Key.Key_Space)
    wizard = panel.wizard
    qtbot.waitUntil(wizard.isActiveWindow)

    type_into(wizard.volumes.real.line, phantoms)
    tab_to(wizard.volumes.origin)
    press(Key.Key_Down)
    type_into(wizard.volumes.model.line, model)
    qtbot.waitUntil(wizard.volumes.isComplete, timeout=20_000)
    press(Key.Key_Return)
    assert wizard.currentPage() is wizard.size_page
    size = wizard.size_page
    for field, number in (
        (size.readers, 3),
        (size.cases, 10),
        (size.practice, 2),
        (size.impressions, 0),
    ):
        type_into(field, number)
    assert size.repeats.value() == 0
    assert texts(size).count("Uses 6 volumes of each kind; 0 real ones remain.") == 1
    press(Key.Key_Return)
    tab_to(wizard.reading.marks)
    press(Key.Key_Space)
    type_into(wizard.reading.break_trials, 50)
    press(Key.Key_Return)
    type_into(wizard.save.parent_folder.line, tmp_path)
    type_into(wizard.save.name, "contrast")
    type_into(wizard.save.seed, 5)
    qtbot.waitUntil(lambda: "Margin" in texts(wizard.save))
    summary = texts(wizard.save)
    assert f"6 of 6 subjects in {phantoms}, at random" in summary
    assert "random seeds" in summary
    assert "3; each has 10 trials of single volumes, after 2 practice volumes" in summary
    press(Key.Key_Return)
    qtbot.waitUntil(lambda: panel.status is not None, timeout=60_000)
    finish(panel)
    assert panel.wizard is None
    study = study_of(panel)
    assert study.folder == tmp_path / "contrast"
    assert study.protocol == Protocol(
        5, 3, 10, 0, practice=2, rules=Rules(break_trials=50, marks=False)
    )

    # The audit
    assert not study.frozen
    assert [word.text() for word in panel.audit.words][:2] == ["Pass", "Leak"]
    assert "percentile" in texts(panel.audit)
    pictures = panel.audit.pictures
    looked_at = []
    come_back_to(panel.new)
    tab_to(pictures.choice)
    for _ in range(pictures.choice.count()):
        looked_at.append(pictures.grab().toImage())
        assert texts(pictures)
        press(Key.Key_Down)
    assert len(looked_at) == 4
    assert all(a != b for a, b in pairwise(looked_at))
    assert not panel.readers.zip.isEnabled()
    assert not panel.audit.freeze.isEnabled()
    type_into(panel.audit.reason, "only a rehearsal")
    press(Key.Key_Return)
    finish(panel)
    assert Study.open(study.folder).accepted_leak == "only a rehearsal"
    assert "only a rehearsal" in texts(panel.audit)

    # Read here
    monkeypatch.setattr("napari_cowgan.study.local_reading.ReadingProcess", ReadingHere)
    push(panel.readers.read)
    assert "can open the key" in panel.local_reading.question.text()
    answer_question(panel, Key.Key_Return)
    assert not pictures.isVisible(), "whoever reads here must not see them"
    code = panel.findChild(ReadingHere).read()
    qtbot.waitUntil(lambda: rows(panel)[0][1] == "Finished", timeout=20_000)
    finish(panel)
    assert rows(panel)[0] == ["sub-R01", "Finished", "12 of 12"]
    assert f"Finish code: {code}" in panel.readers.codes.text()

    # Read elsewhere
    come_back_to(panel.new)
    tab_to(panel.readers.list)
    press(Key.Key_Down)
    push(panel.readers.zip)
    archive = tmp_path / "to send.zip"
    choose(panel, archive)
    finish(panel)
    away = tmp_path / "away" / "sub-R02"
    shutil.unpack_archive(archive, away.parent)
    with Package.open(away).journal() as journal:
        begun = Session(Package.open(away).manifest.course, journal)
        begun.stop()
    push(panel.readers.start)
    type_code(panel, begun.start_code.lower())
    finish(panel)
    assert f"Noted start code: {begun.start_code}" in panel.readers.codes.text()
    come_back_to(panel.new)
    second = read(panel, away)
    returned = shutil.make_archive(str(tmp_path / "back"), "zip", away.parent)
    assert drop(panel, Path(returned))
    finish(panel)
    third = given_out(panel, "sub-R03", tmp_path)
    read(panel, third)
    push(panel.readers.collect_folder)
    choose(panel, third)
    finish(panel)
    assert [row[1] for row in rows(panel)] == ["Finished"] * 3
    assert panel.readers.codes.text().splitlines() == [
        f"Start code: {begun.start_code} (as noted before)",
        f"Finish code: {second}",
    ]
    assert "Publish before you analyse" in texts(panel.summary)
    push(panel.summary.collected.copy)
    published = QApplication.clipboard().text()
    assert published.endswith(collection_sha256(study_of(panel)))
    assert "3 of 3 readers have finished" in texts(panel.result)

    # The result
    push(panel.result.analyse)
    finish(panel)
    assert read_unblinding(study) is not None
    qtbot.waitUntil(lambda: "of 3 readers" in texts(panel.result.verdicts))
    push(panel.result.html)
    push(panel.result.pdf)
    html, pdf = browsed
    assert "only a rehearsal" in html.read_text(encoding="utf-8")
    assert pdf.read_bytes().startswith(b"%PDF")
    assert (html.parent / "trials.csv").is_file(), "tables for other programs"
    assert "sub-R01 read where the key of the study lay beside" in html.read_text(encoding="utf-8")
    assert not panel.summary.collected.isVisible(), "too late to publish"
    found = verify(study_of(panel).folder, [code, second], [published.split()[-1]])
    assert found.faults == []


def test_a_study_without_leaks_is_frozen_at_once(panel, made, qtbot, finish, tmp_path, monkeypatch):
    # By chance, the audit finds something in noise that another secret selects.
    monkeypatch.setattr("cowgan.turing.study.creation.new_salt", lambda: bytes(32))
    panel.plan_study()
    wizard = panel.wizard
    wizard.volumes.real.set_path(made.folder.parent / "real_scans")
    wizard.volumes.origin.choose("folder")
    wizard.volumes.folder.set_path(made.folder.parent / "gan_volumes")
    wizard.size_page.cases.setValue(20)
    wizard.size_page.practice.setValue(2)
    wizard.save.parent_folder.set_path(tmp_path / "studies")
    qtbot.waitUntil(wizard.volumes.isComplete, timeout=20_000)
    while wizard.currentPage() is not wizard.save:
        wizard.next()
    click(wizard.button(wizard.WizardButton.FinishButton))
    qtbot.waitUntil(lambda: panel.status is not None, timeout=60_000)
    finish(panel)
    study = study_of(panel)
    assert study.folder == tmp_path / "studies" / "turing-study-1"
    assert study.frozen and study.accepted_leak is None
    assert "Frozen" in panel.summary.state.text()
    assert [word.text() for word in panel.audit.words][:2] == ["Pass", "Pass"]
    for part in (panel.audit.freeze, panel.audit.reason):
        assert not part.isVisible()
    assert panel.readers.zip.isEnabled()


def test_an_empty_panel_says_what_to_do_and_offers_nothing_else(panel):
    assert "Create a new study, or open one" in texts(panel)
    shown = [b.text() for b in panel.findChildren(QPushButton) if b.isVisible()]
    assert shown == ["New study…", "Open study"]


def test_a_study_is_dropped_and_listed_as_recent(panel, made, tmp_path, finish):
    folder = Path(shutil.copytree(made.folder, tmp_path / "study"))
    assert not drop(panel, tmp_path), "that is no study"
    assert drop(panel, folder)
    finish(panel)
    assert study_of(panel).folder == folder
    assert recent("studies") == [folder]
    panel.open.menu().aboutToShow.emit()
    actions = {action.text(): action for action in panel.open.menu().actions()}
    assert {"Open folder…", f"{tmp_path.name}/study"} <= actions.keys()
    actions[f"{tmp_path.name}/study"].trigger()
    finish(panel)
    actions["Open folder…"].trigger()
    choose(panel, folder)
    finish(panel)
    assert rows(panel)[0] == ["sub-R01", "Not returned", "0 of 22"]


@pytest.mark.parametrize("damage", ["none", "cut", "key"])
def test_an_invalid_study_is_reported_and_the_open_one_stays(
    opened, made, tmp_path, problem, damage
):
    other = Path(shutil.copytree(made.folder, tmp_path / "other"))
    before = study_of(opened).folder
    if damage == "none":
        (other / STUDY_FILE).unlink()
    elif damage == "cut":
        (other / STUDY_FILE).write_text("{", encoding="utf-8")
    else:
        (other / "key" / "key.json").write_bytes(b"{}")
    opened.open_study(other)
    message = problem(opened)
    assert str(other) in message and message.count(".") <= 2
    assert study_of(opened).folder == before
    assert recent("studies") == [before]


def test_each_package_that_is_refused_has_a_paragraph(opened, tmp_path, problem, finish):
    sound = given_out(opened, "sub-R01", tmp_path)
    read(opened, sound, trials=5)
    letters = [tmp_path / f"letter-{number}.zip" for number in range(9)]
    for letter in letters:
        letter.write_text("Dear colleagues", encoding="utf-8")
    assert drop(opened, sound, *letters)
    finish(opened)
    first, *refused, last = problem(opened).split("\n\n")
    assert first == "Collected: sub-R01."
    assert [str(letter) in text for letter, text in zip(letters, refused, strict=False)] == [
        True
    ] * 5
    assert last == "“Copy details” lists 4 more."


@pytest.mark.skipif(sys.platform == "win32", reason="paths cannot be that long there")
@pytest.mark.parametrize("count", [1, 6])
def test_long_names_in_error_dialogs_are_shortened(opened, tmp_path, finish, count):
    letters = [tmp_path / ("a" * 200) / f"{number}{'b' * 240}.zip" for number in range(count)]
    letters[0].parent.mkdir()
    for letter in letters:
        letter.write_text("Dear colleagues", encoding="utf-8")
    assert drop(opened, *letters)
    finish(opened)
    box = opened.findChild(QMessageBox)
    for number, paragraph in enumerate(box.text().split("\n\n")):
        assert f"/{number}bbb" in paragraph and "bbb.zip could not be read" in paragraph
    assert box.width() < 800
    (copy,) = [button for button in box.buttons() if button.text() == "Copy details"]
    click(copy)
    assert all(str(letter) in QApplication.clipboard().text() for letter in letters)


def _edit(panel: StudyPanel, folder: Path) -> Path:
    own = given_out(panel, "sub-R01", folder)
    read(panel, own, trials=5)
    journal = own / JOURNAL_FILE
    journal.write_text(
        journal.read_text(encoding="utf-8").replace('"answer":"R"', '"answer":"G"'),
        encoding="utf-8",
    )
    return own


def _foreign(panel: StudyPanel, folder: Path) -> Path:
    other = freeze(folder / "other", protocol(cases=10, repeats=0, practice=0, impressions=0))
    own = other.package_folder("sub-R01")
    play(own, observer(other, "sub-R01", 1))
    return own


def _unread(panel: StudyPanel, folder: Path) -> Path:
    return given_out(panel, "sub-R01", folder)


def _older(panel: StudyPanel, folder: Path) -> Path:
    newer = given_out(panel, "sub-R01", folder)
    read(panel, newer, trials=3)
    older = Path(shutil.copytree(newer, folder / "older" / "sub-R01"))
    read(panel, newer, trials=3)
    panel.collect([newer])
    reading_windows.wait_for(lambda: not panel.job.running)
    return older


def _damaged(panel: StudyPanel, folder: Path) -> Path:
    path = folder / "sub-R01.zip"
    path.write_bytes(b"PK but no archive")
    return path


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_edit, "was changed"),
        (_foreign, "is not a package of this study"),
        (_unread, "holds no journal"),
        (_older, "is an older state"),
        (_damaged, "could not be read"),
    ],
)
def test_a_refused_package_is_reported_in_one_sentence(
    opened, tmp_path, problem, finish, make, said
):
    returned = make(opened, tmp_path)
    finish(opened)
    before = rows(opened)
    assert drop(opened, returned)
    message = problem(opened)
    assert said in message and message.endswith(".") and "\n" not in message
    finish(opened)
    assert rows(opened) == before


def test_several_packages_are_dropped_at_once(opened, tmp_path, finish):
    packages = [given_out(opened, reader, tmp_path) for reader in study_of(opened).readers]
    for trials, package in enumerate(packages, 4):
        read(opened, package, trials)
    assert drop(opened, *packages)
    finish(opened)
    assert [row[1:3] for row in rows(opened)] == [
        ["Under way", f"{trials} of 22"] for trials in (4, 5, 6)
    ]


def test_packages_are_not_distributed_before_the_study_is_frozen(
    panel, leaking, tmp_path, finish, problem
):
    show(panel, leaking, tmp_path, finish)
    group = panel.readers
    for button in (group.zip, group.folder, group.read, group.collect_zip, group.collect_folder):
        assert not button.isEnabled()
    assert not panel.result.analyse.isEnabled()
    assert not panel.audit.freeze.isEnabled()
    click(panel.audit.freeze)
    type_into_here(panel.audit.reason, "   ")
    press(Key.Key_Return)
    assert not panel.job.running, "a reason of blanks is none"
    drop(panel, tmp_path)
    assert "is not frozen yet" in problem(panel)


def type_into_here(field, text: str) -> None:
    field.setFocus()
    QTest.keyClicks(field, text)


def test_a_repeated_audit_finds_later_changes(opened, finish):
    click(opened.audit.check)
    finish(opened)
    assert "Audited again: no leaks." in texts(opened)
    volume = next((study_of(opened).package_folder("sub-R02") / "vol").glob("*.npy"))
    volume.chmod(0o600 if volume.stat().st_mode & 0o077 else 0o644)
    click(opened.audit.check)
    finish(opened)
    assert "permissions of volume files differs in sub-R02" in texts(opened)


def test_analysing_early_asks_first(opened, tmp_path, qtbot, finish):
    package = given_out(opened, "sub-R01", tmp_path)
    assert not opened.result.analyse.isEnabled(), "nobody has answered yet"
    read(opened, package)
    drop(opened, package)
    finish(opened)
    click(opened.result.analyse)
    question = opened.result.question
    assert question.text() == "sub-R02, sub-R03 have not finished."
    press(Key.Key_Return)
    assert not opened.job.running
    assert read_unblinding(study_of(opened)) is None, "Enter waits"
    click(opened.result.analyse)
    (go_on,) = [b for b in opened.result.question.buttons() if b.text() == "Unblind now"]
    click(go_on)
    finish(opened)
    assert read_unblinding(study_of(opened)) is not None
    assert "Unblinded on" in texts(opened.result)
    qtbot.waitUntil(lambda: "sub-R01" in texts(opened.result.verdicts))
    assert opened.result.html.isEnabled()


def test_a_missing_library_is_reported_before_unblinding(opened, finish, problem, monkeypatch):
    read_all(study_of(opened), (0.5, 0.5, 0.5))
    opened.open_study(study_of(opened).folder)
    finish(opened)
    monkeypatch.setitem(sys.modules, "fpdf", None)
    click(opened.result.analyse)
    assert "napari-cowgan[report]" in problem(opened)
    assert read_unblinding(study_of(opened)) is None


def test_answers_in_the_study_folder_are_collected_when_the_study_opens(opened, finish):
    study = study_of(opened)
    read(opened, study.package_folder("sub-R02"), trials=7)
    opened.open_study(study.folder)
    finish(opened)
    assert rows(opened)[1][1:3] == ["Under way", "7 of 22"]
    assert journal_path(study, "sub-R02").exists()


def test_reading_here_can_be_cancelled(opened):
    click(opened.readers.read)
    answer_question(opened, Key.Key_Escape)
    assert opened.local_reading.question is None
    assert opened.findChild(ReadingProcess) is None


def test_an_invalid_start_code_is_reported(opened, problem):
    click(opened.readers.start)
    type_code(opened, "seven")
    assert "A start code has 16 letters and digits" in problem(opened)


def test_the_reading_window_is_a_separate_process(opened, problem, qtbot, finish):
    study = study_of(opened)
    click(opened.readers.read)
    answer_question(opened, Key.Key_Return)
    assert "sub-R01's package is being read in a separate window." in texts(opened)
    reading = opened.findChild(ReadingProcess)
    journal = study.package_folder("sub-R01") / JOURNAL_FILE
    qtbot.waitUntil(lambda: journal.exists() and journal.stat().st_size > 0, timeout=60_000)
    reading.process.kill()
    assert problem(opened) == "The reading window ended unexpectedly."
    finish(opened)
    assert rows(opened)[0][1:3] == ["Under way", "0 of 22"]


def test_folders_are_shown_and_a_missing_program_is_reported(opened, browsed, monkeypatch, problem):
    click(opened.readers.folder)
    tree = opened.readers.list
    tree.setFocus()
    press(Key.Key_Down, Key.Key_Return)
    study = study_of(opened)
    assert browsed == [study.package_folder(reader) for reader in ("sub-R01", "sub-R02")]
    monkeypatch.setattr(QDesktopServices, "openUrl", lambda url: False)
    click(opened.readers.folder)
    assert problem(opened).startswith("No program could be started to open ")


def test_the_line_to_publish_is_copied_whole(opened):
    study = study_of(opened)
    assert opened.summary.frozen.digits.text().replace("\n", "") == study.sha256
    click(opened.summary.frozen.copy)
    assert QApplication.clipboard().text() == frozen_line(study)
    assert not opened.summary.collected.isVisible()


@pytest.mark.parametrize("close", ["window", "panel"])
@pytest.mark.parametrize("work", ["audit", "wizard"])
def test_closing_during_work_ends_every_thread(
    viewer, docked_panel, made, tmp_path, qtbot, finish, work, close, monkeypatch
):
    opened = show(docked_panel, made, tmp_path, finish)
    reached, go_on = threading.Event(), threading.Event()

    def slow(*arguments: object) -> None:
        progress = arguments[-1]
        reached.set()
        while not progress.cancelled:
            go_on.wait(0.01)
            progress.report(1, 2)

    monkeypatch.setattr("napari_cowgan.study.tasks.check", slow)
    monkeypatch.setattr("napari_cowgan.study.wizard.make_study", slow)
    if work == "audit":
        click(opened.audit.check)
    else:
        opened.plan_study()
        opened.wizard.volumes.real.set_path(made.folder.parent / "real_scans")
        opened.wizard.save.parent_folder.set_path(tmp_path / "new")
        opened.wizard.accept()
    assert reached.wait(10)
    if close == "window":
        viewer.close()
    else:
        viewer.window.remove_dock_widget(opened)

    def ended() -> bool:
        return not any(thread.name == "cowgan-job" for thread in threading.enumerate())

    qtbot.waitUntil(ended, timeout=20_000)
    QTest.qWait(50)


def test_the_pictures_follow_the_theme(viewer, docked_panel, made, tmp_path, finish):
    opened = show(docked_panel, made, tmp_path, finish)
    opened.audit.pictures.choice.choose("histograms")
    dark = opened.audit.pictures.histograms.grab().toImage().pixelColor(2, 2).lightnessF()
    viewer.theme = "light"
    QTest.qWait(100)
    light = opened.audit.pictures.histograms.grab().toImage().pixelColor(2, 2).lightnessF()
    assert dark < 0.3 < 0.7 < light


def test_every_control_has_a_tooltip(opened):
    own = [
        widget
        for kind in (QAbstractButton, QComboBox, QTreeWidget)
        for widget in opened.findChildren(kind)
        if not isinstance(widget.parent(), Section) and not widget.objectName().startswith("qt_")
    ]
    assert len(own) > 15
    assert [type(widget).__name__ for widget in own if not widget.toolTip()] == []


def test_nothing_is_cut_off_in_a_narrow_dock(viewer, docked_panel, leaking, tmp_path, finish):
    show(docked_panel, leaking, tmp_path, finish)
    with floating(docked_panel, WIDTH):
        for shown in ("mip", "histograms", "features"):
            docked_panel.audit.pictures.choice.choose(shown)
            QTest.qWait(150)
            assert docked_panel.width() <= WIDTH
            assert_whole(docked_panel)
        docked_panel.audit.hide_pictures()
        QTest.qWait(150)
        assert_whole(docked_panel)
    read_all(study_of(docked_panel).freeze("only a rehearsal"), (0.5,))
    docked_panel.open_study(study_of(docked_panel).folder)
    finish(docked_panel)
    with floating(docked_panel, WIDTH):
        click(docked_panel.result.analyse)
        finish(docked_panel)
        QTest.qWait(150)
        assert_whole(docked_panel)


@contextmanager
def floating(panel: StudyPanel, width: int) -> Iterator[None]:
    """Show a panel in a window as narrow as a dock can be."""
    dock = panel.parent()
    while not isinstance(dock, QDockWidget):
        dock = dock.parent()
    dock.setFloating(True)
    dock.resize(width, 800)
    QTest.qWait(200)
    yield
    dock.setFloating(False)


def assert_whole(panel: StudyPanel) -> None:
    """Check that all texts and buttons are as large as what is written on them."""
    right = panel.width()
    for label in panel.findChildren(QLabel):
        if label.isVisible() and label.wordWrap():
            assert label.height() >= label.heightForWidth(label.width()), label.text()
            assert label.mapTo(panel, QPoint(label.width(), 0)).x() <= right, label.text()
    for button in panel.findChildren(QPushButton):
        if button.isVisible() and button.text():
            assert button.width() >= button.minimumSizeHint().width(), button.text()
            assert button.mapTo(panel, QPoint(button.width(), 0)).x() <= right, button.text()
    tree = panel.readers.list
    for column in (0, 1, 3):
        assert tree.columnWidth(column) >= tree.sizeHintForColumn(column)
    assert not tree.horizontalScrollBar().isVisible()
    assert not tree.verticalScrollBar().isVisible()
