"""Codes that people can read out, and receipts for readers."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from turing_readers import observer, play
from turing_studies import freeze, protocol

from cowgan.errors import CowganError
from cowgan.turing.codes import code_of, new_code, parse_code
from cowgan.turing.reading.package import JOURNAL_FILE, read_manifest
from cowgan.turing.reading.receipt import Receipt, read_receipt, receipt_of, write_receipt
from cowgan.turing.reading.records import read_journal
from cowgan.turing.study.study import Study


@given(st.binary(min_size=32, max_size=32))
def test_a_code_is_eighty_bits_in_the_alphabet_of_crockford(digest):
    code = code_of(digest.hex())
    groups = code.split("-")
    assert [len(group) for group in groups] == [4, 4, 4, 4]
    # Python's base 32 has other letters and the same order.
    alphabet = {int(letter, 32): letter for letter in "0123456789ABCDEFGHIJKLMNOPQRSTUV"}
    crockford = dict(zip("0123456789ABCDEFGHJKMNPQRSTVWXYZ", alphabet.values(), strict=True))
    number = int("".join(crockford[letter] for letter in "".join(groups)), 32)
    assert number == int.from_bytes(digest[:10], "big")


@pytest.mark.parametrize(
    "typed",
    ["7KQF-2M9X-0A3T-VB61", "7kqf2m9x0a3tvb61", " 7KQF 2M9X OA3T VB6I ", "7KQF2M9X-oa3tvb6l"],
)
def test_a_code_may_be_typed_in_any_case_and_grouping(typed):
    assert parse_code(typed) == "7KQF-2M9X-0A3T-VB61"


@pytest.mark.parametrize("typed", ["", "7KQF-2M9X", "7KQF-2M9X-0A3T-VB6U", "receipt.json"])
def test_invalid_codes_are_not_parsed(typed):
    assert parse_code(typed) is None


def test_new_codes_differ():
    assert len({new_code() for _ in range(100)}) == 100


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Study:
    return freeze(tmp_path_factory.mktemp("made"), protocol(impressions=0))


@pytest.fixture
def package(made, tmp_path) -> Path:
    return shutil.copytree(made.package_folder("sub-R01"), tmp_path / "sub-R01")


def receipt(package: Path) -> Receipt | None:
    return receipt_of(read_manifest(package), read_journal(package / JOURNAL_FILE))


def test_a_finished_reading_has_a_receipt_that_commits_to_study_package_and_answers(
    made, package, tmp_path
):
    play(package, observer(made, "sub-R01", 1), trials=5)
    assert receipt(package) is None
    code = play(package, observer(made, "sub-R01", 1))
    kept = receipt(package)
    manifest = read_manifest(package)
    assert kept.finish_code == code
    assert kept.study_sha256 == made.sha256 == manifest.study_sha256
    assert kept.package_sha256 == manifest.sha256
    assert kept.key_commitment == made.description["key_commitment"]
    assert kept.answers == len(manifest.trials)
    assert kept.begun < kept.finished
    write_receipt(kept, tmp_path / "mine.json")
    assert read_receipt(tmp_path / "mine.json") == kept
    stored = json.loads((tmp_path / "mine.json").read_text(encoding="utf-8"))
    assert stored["finish_code"] == code
    answers = {
        record.data["answer"]
        for record in read_journal(package / JOURNAL_FILE)
        if record.kind == "commit"
    }
    assert not answers & {*map(str, stored.values())}


def test_two_readings_of_one_package_have_different_codes(made, package, tmp_path):
    again = shutil.copytree(package, tmp_path / "again" / "sub-R01")
    codes = [play(folder, observer(made, "sub-R01", 1)) for folder in (package, again)]
    assert codes[0] != codes[1]
    starts = [receipt(folder).start_code for folder in (package, again)]
    assert starts[0] != starts[1]
    assert all(parse_code(code) == code for code in starts)


SPOILED = {
    "no file": lambda p: p.unlink(),
    "a folder": lambda p: (p.unlink(), p.mkdir()),
    "nothing": lambda p: p.write_text("", encoding="utf-8"),
    "a list": lambda p: p.write_text("[]", encoding="utf-8"),
    "another file": lambda p: p.write_text(
        '{"schema": "cowgan.turing-package/3"}', encoding="utf-8"
    ),
    "deep": lambda p: p.write_text("[" * 30_000, encoding="utf-8"),
    "large": lambda p: p.write_text(" " * 200_000, encoding="utf-8"),
    "a number for a hash": lambda p: change(p, journal_sha256=7),
    "another hash than the code": lambda p: change(p, journal_sha256="0" * 64),
    "no hash": lambda p: change(p, journal_sha256="zz"),
    "a missing entry": lambda p: change(p, reader=None),
}


def change(path: Path, **changes: object) -> None:
    path.write_text(
        json.dumps(json.loads(path.read_text(encoding="utf-8")) | changes), encoding="utf-8"
    )


@pytest.mark.parametrize("how", SPOILED)
def test_an_invalid_receipt_is_reported_in_one_sentence(how, tmp_path, single_sentence):
    path = tmp_path / "receipt.json"
    digest = "ab" * 32
    write_receipt(
        Receipt("s", "sub-R01", digest, digest, digest, new_code(), "t", "t", 3, digest), path
    )
    read_receipt(path)
    SPOILED[how](path)
    with pytest.raises(CowganError) as refusal:
        read_receipt(path)
    single_sentence(refusal)
