"""The pages of a new study: what each says, keeps and refuses."""

import shutil
from pathlib import Path

import pytest
from gui_events import click, drop
from napari.components import ViewerModel
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QAbstractButton, QAbstractSpinBox, QComboBox, QLabel, QLineEdit, QWizard
from study_panels import Key, press, tab_to, type_into
from turing_studies import write_model, write_volumes

from cowgan.checkpoint import load_bundled
from cowgan.errors import Cancelled
from napari_cowgan.study.panel import StudyPanel
from napari_cowgan.study.wizard import StudyWizard

Button = QWizard.WizardButton


@pytest.fixture(autouse=True)
def short_simulation(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_cowgan.study.power_view._REPLICATES", 20)


@pytest.fixture(scope="session")
def volumes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_volumes(tmp_path_factory.mktemp("volumes") / "real", 12)


@pytest.fixture
def panel(qtbot) -> StudyPanel:
    """Return a panel that stands alone, which is all that a wizard needs."""
    panel = StudyPanel(ViewerModel())
    qtbot.addWidget(panel)
    panel.show()
    return panel


@pytest.fixture
def wizard(panel, qtbot) -> StudyWizard:
    return open_wizard(panel, qtbot)


def open_wizard(panel: StudyPanel, qtbot) -> StudyWizard:
    click(panel.new)
    qtbot.waitUntil(panel.wizard.isActiveWindow)
    return panel.wizard


def fill(wizard: StudyWizard, volumes: Path, qtbot, page: str = "volumes") -> None:
    """Choose volumes, and go on to a page."""
    wizard.volumes.real.set_path(volumes)
    wizard.size_page.cases.setValue(20)
    wizard.size_page.practice.setValue(4)
    qtbot.waitUntil(wizard.volumes.isComplete, timeout=20_000)
    while wizard.currentPage() is not getattr(wizard, page):
        before = wizard.currentId()
        click(wizard.button(Button.NextButton))
        assert wizard.currentId() == before + 1


def text_of(label: QLabel) -> str:
    return label.text().replace("\u200b", "")


def overview(wizard: StudyWizard) -> dict[str, str]:
    form = wizard.save.overview
    rows = [
        [
            form.itemAt(line, role).widget()
            for role in (form.ItemRole.LabelRole, form.ItemRole.FieldRole)
        ]
        for line in range(form.rowCount())
    ]
    return {name.text(): text_of(text) for name, text in rows}


def can_go_on(wizard: StudyWizard) -> bool:
    return wizard.button(Button.NextButton).isEnabled()


def test_a_new_study_starts_from_the_bundled_model_and_the_usual_numbers(wizard):
    assert wizard.volumes.origin.chosen == "bundled"
    assert wizard.size_page.design.chosen == "rating"
    size = wizard.size_page
    numbers = [
        field.value()
        for field in (size.readers, size.cases, size.repeats, size.practice, size.impressions)
    ]
    assert numbers == [5, 100, 10, 6, 0]
    assert size.margin.value() == 0.14
    assert size.power.accuracy.chosen == "0.6"
    assert not can_go_on(wizard), "there are no real volumes yet"


def _empty(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _few(folder: Path) -> Path:
    return write_volumes(folder, 3)


def _one(folder: Path) -> Path:
    return write_volumes(folder, 1)


def _missing(folder: Path) -> Path:
    return folder


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (_empty, "There are no scans in"),
        (_one, "1 volume of 1 subject; a study needs at least 5 of each kind."),
        (_few, "3 volumes of 3 subjects; a study needs at least 5 of each kind."),
        (_missing, "is not a folder of volumes."),
    ],
)
def test_too_few_volumes_are_reported_while_choosing(wizard, tmp_path, qtbot, make, said):
    type_into(wizard.volumes.real.line, make(tmp_path / "chosen"))
    qtbot.waitUntil(lambda: said in text_of(wizard.volumes.real_found.text), timeout=20_000)
    assert not can_go_on(wizard)


def test_real_volumes_that_look_public_are_warned_of(wizard, tmp_path, qtbot):
    page = wizard.volumes
    assert any("no reader may have them" in text_of(label) for label in page.findChildren(QLabel))
    type_into(page.real.line, write_volumes(tmp_path / "IXI-MRA", 6))
    qtbot.waitUntil(lambda: "6 subjects" in text_of(page.real_found.text), timeout=20_000)
    assert "seem to be public (IXI)" in text_of(page.real_found.text)
    assert can_go_on(wizard), "it is a warning"


def test_a_file_that_is_no_model_is_reported(wizard, volumes, tmp_path, qtbot):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"no model")
    wizard.volumes.real.set_path(volumes)
    tab_to(wizard.volumes.origin)
    press(Key.Key_Down)
    assert text_of(wizard.volumes.generated_found.text) == "Choose a model, or drop it here."
    type_into(wizard.volumes.model.line, path)
    found = wizard.volumes.generated_found
    qtbot.waitUntil(lambda: "model.safetensors is no safetensors file" in text_of(found.text))
    assert not can_go_on(wizard)
    write_model(path)
    # Another path, and this one again.
    press(Key.Key_Backspace)
    QTest.keyClicks(wizard.volumes.model.line, "s")
    qtbot.waitUntil(lambda: can_go_on(wizard), timeout=20_000)
    assert "as many volumes as needed" in text_of(wizard.volumes.generated_found.text)


def test_folders_and_models_are_dropped_where_they_belong(wizard, volumes, tmp_path):
    page = wizard.volumes
    real, generated = (field.parentWidget() for field in (page.real, page.origin))
    model = write_model(tmp_path / "tiny.safetensors")
    assert drop(real, volumes) and drop(generated, model)
    assert (page.real.path, page.origin.chosen, page.model.path) == (volumes, "model", model)
    assert drop(generated, volumes)
    assert (page.origin.chosen, page.folder.path) == ("folder", volumes)
    assert not page.psi.isVisible()


def test_inconsistent_numbers_are_reported(wizard, volumes, qtbot):
    fill(wizard, volumes, qtbot, "size_page")
    page = wizard.size_page
    assert text_of(page.volumes) == "Uses 12 volumes of each kind; 0 real ones remain."
    for field, number, said in (
        (page.cases, 40, "The study needs 22 real volumes, 10 more than there are"),
        (page.cases, 11, "divisible by 2"),
        (page.practice, 3, "must be even"),
        (page.repeats, 12, "at most half of the 20 trials"),
    ):
        before = field.value()
        type_into(field, number)
        assert said in text_of(page.problem) and page.problem.isVisible()
        assert not can_go_on(wizard)
        type_into(field, before)
        page.repeats.setValue(0)
        assert not page.problem.isVisible()
        assert can_go_on(wizard)


def test_repeats_follow_the_number_of_cases_until_they_are_chosen(wizard):
    page = wizard.size_page
    page.cases.setValue(60)
    assert page.repeats.value() == 6
    page.design.choose("2afc")
    assert page.repeats.value() == 0
    page.repeats.setValue(4)
    page.cases.setValue(200)
    assert page.repeats.value() == 4


def test_the_table_shows_the_power_of_the_planned_study(wizard, volumes, qtbot):
    fill(wizard, volumes, qtbot, "size_page")
    power = wizard.size_page.power
    qtbot.waitUntil(lambda: power.cell is not None, timeout=60_000)
    assert "With 5 readers and 20 cases" in power.text.text()
    stressed = [
        (line, column)
        for line in range(power.table.rowCount())
        for column in range(power.table.columnCount())
        if power.table.item(line, column).font().bold()
    ]
    (place,) = stressed
    headers = power.table.verticalHeaderItem, power.table.horizontalHeaderItem
    assert [of(n).text() for of, n in zip(headers, place, strict=True)] == ["5 readers", "20 cases"]
    wizard.size_page.readers.setValue(2)
    qtbot.waitUntil(lambda: "a study is a pilot" in power.text.text(), timeout=20_000)
    wizard.size_page.design.choose("2afc")
    qtbot.waitUntil(lambda: "for pairs" in power.text.text(), timeout=20_000)


def test_an_interrupted_simulation_keeps_its_results(wizard, volumes, qtbot):
    fill(wizard, volumes, qtbot, "size_page")
    power = wizard.size_page.power
    qtbot.waitUntil(lambda: power.cell is not None, timeout=60_000)
    known = power.cell
    click(power.job.findChild(QAbstractButton))
    qtbot.waitUntil(lambda: not power.job.running)
    assert power.cell is known


def test_the_last_page_summarises_the_study(wizard, volumes, tmp_path, qtbot):
    wizard.size_page.readers.setValue(1)
    fill(wizard, volumes, qtbot, "save")
    assert overview(wizard) == {
        "Real": f"12 of 12 subjects in {volumes}, at random",
        "Generated": f"12 of {load_bundled().card.name}, random seeds, truncation psi 1",
        "Readers": "1; each has 20 trials of single volumes, after 4 practice volumes",
        "Time": "about 10 to 15 minutes for each reader, without breaks",
        "Allowed": "projections and marks",
        "Margin": "an AUC within 0.5 ± 0.14 is equivalent to chance",
    }
    for _ in range(2):
        click(wizard.button(Button.BackButton))
    wizard.size_page.design.choose("2afc")
    for _ in range(2):
        click(wizard.button(Button.NextButton))
    assert "10 trials of pairs" in overview(wizard)["Readers"]


def test_an_unsuitable_folder_is_reported(wizard, volumes, tmp_path, qtbot):
    fill(wizard, volumes, qtbot, "save")
    page, finish = wizard.save, wizard.button(Button.FinishButton)
    page.parent_folder.set_path(tmp_path)
    assert page.name.placeholderText() == "turing-study-1"
    assert finish.isEnabled()
    (tmp_path / "turing-study-1").mkdir()
    for text, said in (
        ("turing-study-1", "exists already; choose another name."),
        ("a/b", "without slashes"),
        ("..", "without slashes"),
    ):
        type_into(page.name, text)
        assert said in text_of(page.problem)
        assert not finish.isEnabled()
    type_into(page.name, "")
    press(Key.Key_Backspace)
    assert page.name.placeholderText() == "turing-study-2"
    assert finish.isEnabled()
    page.parent_folder.line.clear()
    assert text_of(page.problem) == "Choose a folder for the study."
    assert not finish.isEnabled()


def test_cancelling_leaves_nothing_behind_and_keeps_the_plan(
    wizard, volumes, tmp_path, qtbot, monkeypatch
):
    def slow(target, origins, protocol, progress) -> None:
        while not progress.cancelled:
            progress.report(1, 3)
        raise Cancelled

    monkeypatch.setattr("napari_cowgan.study.wizard.make_study", slow)
    fill(wizard, volumes, qtbot, "save")
    wizard.save.parent_folder.set_path(tmp_path)
    click(wizard.button(Button.FinishButton))
    assert wizard.save.job.isVisible()
    for button in (Button.BackButton, Button.FinishButton):
        assert not wizard.button(button).isEnabled()
    press_in(wizard, Key.Key_Escape)
    qtbot.waitUntil(lambda: not wizard.save.job.running)
    assert wizard.isVisible()
    assert list(tmp_path.iterdir()) == []
    assert wizard.button(Button.FinishButton).isEnabled()


def press_in(wizard: StudyWizard, key: Qt.Key) -> None:
    QTest.keyClick(wizard, key)


def test_a_failure_during_creation_is_reported_and_keeps_the_plan(
    wizard, volumes, tmp_path, qtbot, problem
):
    mixed = Path(shutil.copytree(volumes, tmp_path / "mixed"))
    next(mixed.glob("*.nii.gz")).write_bytes(b"not an image")
    wizard.volumes.origin.choose("folder")
    wizard.volumes.folder.set_path(volumes)
    fill(wizard, mixed, qtbot, "save")
    wizard.save.parent_folder.set_path(tmp_path / "studies")
    click(wizard.button(Button.FinishButton))
    assert problem(wizard).endswith(".")
    qtbot.waitUntil(lambda: not wizard.save.job.running)
    assert not list((tmp_path / "studies").glob("*")), "nothing is left behind"
    assert wizard.isVisible()


def test_a_plan_is_remembered(panel, wizard, volumes, qtbot):
    fill(wizard, volumes, qtbot, "reading")
    wizard.size_page.margin.setValue(0.1)
    wizard.reading.mip.click()
    wizard.reading.crop[1].setValue(3)
    wizard.volumes.psi.setValue(0.7)
    press_in(wizard, Key.Key_Escape)
    qtbot.waitUntil(lambda: panel.wizard is None)
    again = open_wizard(panel, qtbot)
    assert again.volumes.real.path == volumes
    assert again.volumes.psi.value() == 0.7
    assert again.size_page.cases.value() == 20
    assert again.size_page.margin.value() == 0.1
    assert not again.reading.rules("rating").mip
    assert again.reading.crop_voxels == (0, 3, 0)


def test_only_one_wizard_is_open(panel, wizard, qtbot):
    click(panel.new)
    assert panel.findChildren(StudyWizard) == [wizard]


def test_every_field_has_a_tooltip(wizard):
    own = [
        field
        for page in (wizard.volumes, wizard.size_page, wizard.reading, wizard.save)
        for kind in (QAbstractButton, QComboBox, QAbstractSpinBox, QLineEdit)
        for field in page.findChildren(kind)
        if not field.objectName().startswith("qt_")
        and not isinstance(field.parentWidget(), QAbstractSpinBox | QLineEdit)
        and not _is_corner(field)
    ]
    assert len(own) > 20
    assert [
        f"{type(field).__name__} {field.accessibleName()}" for field in own if not field.toolTip()
    ] == []


def _is_corner(field) -> bool:
    """Tell the button between the headers of a table, which selects nothing here."""
    return type(field).__name__ == "QAbstractButton"


@pytest.mark.parametrize("page", ["volumes", "size_page", "reading", "save"])
def test_no_page_is_cut_off(wizard, volumes, qtbot, page):
    fill(wizard, volumes, qtbot, page)
    QTest.qWait(200)

    def nothing_is_cut_off() -> None:
        for label in wizard.findChildren(QLabel):
            if label.isVisible() and label.text():
                needed = label.heightForWidth(label.width()) if label.wordWrap() else 0
                assert label.height() >= needed, label.text()
                if not label.wordWrap():
                    assert label.width() >= label.minimumSizeHint().width(), label.text()
        for box in wizard.findChildren(QComboBox):
            if box.isVisible():
                text = box.fontMetrics().horizontalAdvance(box.currentText())
                assert box.width() >= text + 20, box.currentText()

    # A text that comes late is laid out late on a busy machine.
    qtbot.waitUntil(nothing_is_cut_off)
