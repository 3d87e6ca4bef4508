"""Journals that no reading can have written are refused before unblinding."""

import csv
import io
import json
import random
import shutil
from pathlib import Path

import pytest
from journal_forger import Content, forged, read_contents, write_chained
from turing_readers import observer, play
from turing_studies import freeze, protocol

from cowgan.errors import CowganError
from cowgan.report.html import html_of
from cowgan.turing.analysis import analyse
from cowgan.turing.derivatives import write_derivatives
from cowgan.turing.reading.package import JOURNAL_FILE
from cowgan.turing.reading.receipt import receipt_of
from cowgan.turing.report import report_of
from cowgan.turing.study.collection import collect, collected_records, journal_path
from cowgan.turing.study.start_codes import start_of
from cowgan.turing.study.study import Study
from cowgan.turing.study.unblinding import UNBLINDED_FILE

READER, OTHER = "sub-R01", "sub-R02"


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Study:
    chosen = protocol(cases=10, repeats=2, repeat_distance=2, practice=2, impressions=2)
    # The audit of so few volumes can find a difference by chance.
    study = freeze(tmp_path_factory.mktemp("made"), chosen, accept_leak="Too few volumes.")
    for reader in study.readers:
        play(study.package_folder(reader), observer(study, reader, d_prime=1))
    return study


@pytest.fixture
def study(made, tmp_path) -> Study:
    return Study.open(shutil.copytree(made.folder, tmp_path / "study"))


@pytest.fixture
def journal(study) -> Path:
    return study.package_folder(READER) / JOURNAL_FILE


def record_of(contents: list[Content], kind: str) -> Content:
    """Return the record before the last of a kind, or the only one."""
    return [content for content in contents if content["kind"] == kind][-2:][0]


def with_value(kind: str, name: str, value: object):
    def change(contents: list[Content]) -> None:
        of = record_of(contents, kind)
        (of if name in of else of["data"])[name] = value

    return change


def other_answer(contents: list[Content]) -> None:
    data = record_of(contents, "commit")["data"]
    data["answer"] = "R" if data["answer"] == "G" else "G"


def without_field(kind: str, name: str):
    return lambda contents: record_of(contents, kind)["data"].pop(name)


def swapped_trials(contents: list[Content]) -> None:
    first, second = [c["data"] for c in contents if c["kind"] == "commit"][-2:]
    first["cases"], second["cases"] = second["cases"], first["cases"]


def clock_back(contents: list[Content]) -> None:
    record_of(contents, "level")["mono_ns"] = 5


def repeated_commit(contents: list[Content]) -> None:
    contents.insert(-1, dict(record_of(contents, "commit")))


LIES = {
    "no date": with_value("commit", "utc", "yesterday"),
    "no offset": with_value("commit", "utc", "2026-11-28T05:34:43"),
    "a time that cannot be turned": with_value("commit", "utc", "0001-01-01T00:00:00+23:59"),
    "no number on the clock": with_value("shown", "mono_ns", "5"),
    "an endless clock": with_value("finish", "mono_ns", 10**400),
    "a clock that runs backwards": clock_back,
    "no answer": without_field("commit", "answer"),
    "no marks": without_field("commit", "flags"),
    "another answer than was pressed": other_answer,
    "another level than was pressed": with_value("commit", "level", 6),
    "a level that there is not": with_value("level", "level", 6),
    "a level that is true": with_value("level", "level", True),
    "an answer that there is not": with_value("answer", "answer", "left"),
    "a faster answer": with_value("commit", "answer_ms", 1),
    "more slices than there are": with_value("commit", "seen", 2),
    "another block": with_value("commit", "block", 7),
    "another trial": with_value("commit", "trial", 3),
    "trials in another order": swapped_trials,
    "a trial twice": repeated_commit,
    "an unknown step": with_value("level", "kind", "guess"),
    "consent that is a word": with_value("consent", "given", "yes"),
    "a place outside the volume": with_value("mark", "voxel", [1, 2, 999]),
    "a place in another volume": with_value("mark", "case", "0" * 8),
    "reasons that are no words": with_value("mark", "reasons", [1]),
    "no start": lambda contents: contents.pop(1),
    "a screen without sides": with_value("start", "screen", {"size": 5}),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_impossible_journals_are_refused(study, journal, lie, tmp_path, single_sentence):
    contents = read_contents(journal)
    write_chained(journal, contents)
    collect(study, [journal])
    journal_path(study, READER).unlink()
    lie(contents)
    sent = tmp_path / "mail" / JOURNAL_FILE
    sent.parent.mkdir()
    write_chained(sent, contents)
    with pytest.raises(CowganError) as refusal:
        collect(study, [sent])
    assert READER in single_sentence(refusal)
    assert not journal_path(study, READER).exists()


def test_an_impossible_journal_does_not_affect_other_readers(study, journal):
    collect(study, [study.package_folder(OTHER)])
    contents = read_contents(journal)
    other_answer(contents)
    write_chained(journal, contents)
    # As an earlier version, or somebody by hand, may have left it there.
    kept = journal_path(study, READER)
    kept.parent.mkdir()
    shutil.copy(journal, kept)
    with pytest.raises(CowganError, match=READER):
        analyse(study, early=True)
    assert not (study.folder / UNBLINDED_FILE).exists()
    kept.unlink()
    analysis = analyse(study, early=True)
    assert [reader.reader for reader in analysis.complete] == [OTHER]


def test_other_journals_are_collected_beside_an_impossible_one(study, journal):
    contents = read_contents(journal)
    contents[-1]["utc"] = "yesterday"
    write_chained(journal, contents)
    with pytest.raises(CowganError, match=rf"Collected: {OTHER}\. .*{READER}") as refusal:
        collect(study, [journal, study.package_folder(OTHER)])
    assert "\n" not in refusal.value.sentence
    assert refusal.value.sentences[0] == f"Collected: {OTHER}."
    assert not journal_path(study, READER).exists()
    assert [reader.reader for reader in analyse(study, early=True).complete] == [OTHER]


def test_hostile_text_of_a_reader_is_harmless_in_tables_and_report(study, journal):
    hostile = "=1+1\x1b[2J\u202e<script>$\\bad$\n"
    typed = json.dumps(read_contents(journal)).replace('"noise"', json.dumps(hostile))
    assert typed.count("script") > 2
    write_chained(journal, json.loads(typed))
    collect(study, [journal, study.package_folder(OTHER)])
    analysis = analyse(study)
    written = [path.read_text(encoding="utf-8") for path in write_derivatives(analysis)]
    report = html_of(report_of(analysis))
    assert "$\\bad$" in report and "<script" not in report
    for text in (*written, report):
        assert not set("\x1b\u202e") & set(text)
    trials = next(text for text in written if text.startswith("reader,trial,"))
    assert {row["reasons"] for row in csv.DictReader(io.StringIO(trials))} > {
        "'=1+1\\x1b[2J\\u202e<script>$\\bad$\\n"
    }


def attack(study: Study, journal: Path, seeds: range) -> tuple[int, int]:
    """Return how many forged journals were refused and accepted; all of these are analysed."""
    contents = read_contents(journal)
    counted = {True: 0, False: 0}
    for seed in seeds:
        write_chained(journal, forged(contents, random.Random(seed)))
        (study.folder / UNBLINDED_FILE).unlink(missing_ok=True)
        shutil.rmtree(study.folder / "derivatives", ignore_errors=True)
        journal_path(study, READER).unlink(missing_ok=True)
        try:
            collect(study, [journal])
        except CowganError as error:
            assert "\n" not in error.sentence
            counted[False] += 1
            continue
        counted[True] += 1
        receipt_of(study.manifest(READER), collected_records(study, READER))
        start_of(study, READER)
        write_derivatives(analyse(study, early=True))
    return counted[False], counted[True]


def test_forged_journals_are_refused_or_can_be_analysed(study, journal):
    refused, accepted = attack(study, journal, range(150))
    assert refused > 75
    assert accepted > 5


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_thousands_of_forged_journals_are_refused_or_can_be_analysed(study, journal):
    refused, accepted = attack(study, journal, range(1000, 4000))
    assert refused > 1500
    assert accepted > 150
