"""Who reads once more, after removing what was read first, is found out."""

import json
import shutil
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from turing_readers import observer, play
from turing_studies import freeze, protocol

from cowgan.errors import CowganError
from cowgan.report.blocks import Box, Table
from cowgan.turing.analysis import analyse
from cowgan.turing.reading.package import JOURNAL_FILE, Package, key_beside
from cowgan.turing.reading.records import read_journal
from cowgan.turing.reading.session import Session, start_code
from cowgan.turing.report import report_of
from cowgan.turing.study.collection import collect
from cowgan.turing.study.start_codes import STARTS_FILE, note_start, start_of
from cowgan.turing.study.study import Study
from cowgan.turing.study.unblinding import read_unblinding, unblind


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Study:
    return freeze(tmp_path_factory.mktemp("made"), protocol(readers=1, impressions=0))


@pytest.fixture
def study(made, tmp_path) -> Study:
    return Study.open(shutil.copytree(made.folder, tmp_path / "study"))


@pytest.fixture
def package_folder(study, tmp_path) -> Path:
    """Return the reader's package, distributed."""
    return shutil.copytree(study.package_folder("sub-R01"), tmp_path / "away" / "sub-R01")


def test_only_one_process_changes_a_study_at_a_time(study, package_folder, single_sentence):
    play(package_folder, observer(study, "sub-R01", 1), 1)
    attempts = (
        lambda: note_start(study, "sub-R01", "7KQF-2M9X-0A3T-VB61"),
        lambda: collect(study, [package_folder]),
        lambda: unblind(study, early=True),
    )
    before = sorted(study.folder.rglob("*"))
    for attempt in attempts:
        with study.changing(), pytest.raises(CowganError) as refusal:
            attempt()
        assert "in use by another window or process" in single_sentence(refusal)
    assert sorted(study.folder.rglob("*")) == before
    for attempt in attempts:
        attempt()


def test_concurrent_unblinding_returns_the_first_record(study, monkeypatch):
    changing, first = Study.changing, []

    @contextmanager
    def after_another(study):
        monkeypatch.setattr(Study, "changing", changing)
        first.append(unblind(study, by="the first", early=True))
        yield

    monkeypatch.setattr(Study, "changing", after_another)
    assert unblind(study, by="the second", early=True) == first[0]
    assert read_unblinding(study) == first[0]


def begin(package: Path) -> str:
    """Open a package, close it at once, and return its start code."""
    opened = Package.open(package)
    with opened.journal() as journal:
        session = Session(opened.manifest.course, journal)
        session.stop()
        return session.start_code


def read(study: Study, package: Path) -> None:
    play(package, observer(study, "sub-R01", 1))
    collect(study, [package])


def report(study: Study) -> tuple[str, str]:
    """Return the cautions of the verdict, and what the table of codes says of the reader."""
    blocks = report_of(analyse(study)).blocks
    boxes = [block for block in blocks if isinstance(block, Box)]
    (codes,) = [b for b in blocks if isinstance(b, Table) and "Start code" in b.header]
    return " ".join(c for box in boxes for c in box.cautions), " ".join(codes.rows[0])


def test_the_start_code_stays_the_same_in_all_sittings(study, package_folder):
    code = begin(package_folder)
    assert begin(package_folder) == code
    read(study, package_folder)
    assert start_code(read_journal(package_folder / JOURNAL_FILE)) == code
    assert begin(package_folder) == code


def test_a_journal_with_the_noted_code_was_read_once(study, package_folder):
    code = begin(package_folder)
    note_start(study, "sub-R01", code.lower())
    assert start_of(study, "sub-R01").state == "not told"
    read(study, package_folder)
    assert start_of(study, "sub-R01").state == "same"
    cautions, codes = report(study)
    assert "more than once" not in cautions
    assert code in codes
    assert "yes, " in codes


def test_a_repeated_reading_is_reported_in_the_verdict(study, package_folder):
    first = begin(package_folder)
    note_start(study, "sub-R01", first)
    play(package_folder, observer(study, "sub-R01", 1))
    (package_folder / JOURNAL_FILE).unlink()
    read(study, package_folder)
    assert start_of(study, "sub-R01").state == "another"
    cautions, codes = report(study)
    assert "sub-R01 has begun more than once" in cautions
    assert f"another one: {first}" in codes


def test_two_noted_codes_mean_two_readings(study, package_folder):
    first = begin(package_folder)
    note_start(study, "sub-R01", first)
    (package_folder / JOURNAL_FILE).unlink()
    second = begin(package_folder)
    note_start(study, "sub-R01", second)
    read(study, package_folder)
    assert start_of(study, "sub-R01").state == "another"
    assert [noted.code for noted in start_of(study, "sub-R01").told] == [first, second]


def test_a_code_noted_after_the_first_answer_is_reported_as_late(study, package_folder):
    note_start(study, "sub-R01", begin(package_folder))
    path = study.folder / STARTS_FILE
    (noted,) = json.loads(path.read_text(encoding="utf-8"))
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    path.write_text(json.dumps([noted | {"utc": later}]), encoding="utf-8")
    read(study, package_folder)
    assert start_of(study, "sub-R01").state == "late"
    assert "only after the first answer" in report(study)[1]


def test_invalid_or_late_start_codes_are_not_noted(study, package_folder, single_sentence):
    code = begin(package_folder)
    for reader, typed, said in (
        ("sub-R09", code, "no reader"),
        ("sub-R01", code[:-1], "A start code has 16"),
    ):
        with pytest.raises(CowganError) as refusal:
            note_start(study, reader, typed)
        assert said in single_sentence(refusal)
    read(study, package_folder)
    with pytest.raises(CowganError) as refusal:
        note_start(study, "sub-R01", code)
    assert "has come back already" in single_sentence(refusal)
    assert not (study.folder / STARTS_FILE).exists()
    (study.folder / STARTS_FILE).write_text('[{"reader": 1}]', encoding="utf-8")
    with pytest.raises(CowganError) as refusal:
        start_of(study, "sub-R01")
    single_sentence(refusal)


def test_a_package_in_the_study_folder_lies_beside_the_key(study, package_folder):
    assert key_beside(study.package_folder("sub-R01"))
    assert not key_beside(package_folder)


def test_reading_beside_the_key_is_reported_in_the_verdict(study, package_folder):
    opened = Package.open(package_folder)
    with opened.journal() as journal:
        Session(opened.manifest.course, journal, {"key_beside": True}).stop()
    read(study, package_folder)
    assert "sub-R01 read where the key of the study lay beside" in report(study)[0]
