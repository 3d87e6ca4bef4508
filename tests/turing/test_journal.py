"""The journal loses no record and detects tampering."""

import json
import os
import random
import select
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from reader_process import HEADER as CHILD_HEADER
from reader_process import answer_of

from cowgan.errors import CowganError
from cowgan.turing.reading.journal import Journal
from cowgan.turing.reading.records import read_journal

HEADER = {"package": "1a2b", "reader": "sub-R01"}
CHILD = Path(__file__).parents[1] / "reader_process.py"
posix = pytest.mark.skipif(os.name == "nt", reason="uses limits and signals of Unix")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.jsonl"


def filled(path: Path, count: int = 5) -> Path:
    with Journal(path, HEADER) as journal:
        for trial in range(count):
            journal.append("commit", {"answer": "R"}, trial)
    return path


def commits(path: Path) -> list[int | None]:
    return [record.trial for record in read_journal(path) if record.kind == "commit"]


def test_records_are_read_back_in_order(path):
    with Journal(path, HEADER) as journal:
        record = journal.append("commit", {"answer": "G", "level": 4}, 7).result(timeout=100)
        journal.append("interaction", {"slice": 3}, 7, durable=False)
    header, commit, interaction = read_journal(path)
    assert header.data == HEADER
    assert commit == record
    assert (commit.kind, commit.trial, commit.data) == ("commit", 7, {"answer": "G", "level": 4})
    assert interaction.data == {"slice": 3}
    assert [header.seq, commit.seq, interaction.seq] == [0, 1, 2]
    assert interaction.prev == commit.sha256


def test_a_later_start_continues_the_chain(path):
    filled(path, 3)
    with Journal(path, HEADER) as journal:
        assert [record.trial for record in journal.records] == [0, 1, 2]
        journal.append("commit", {}, 3)
    assert commits(path) == [0, 1, 2, 3]


def test_an_answer_counts_as_committed_only_once_it_is_on_disk(path):
    with Journal(path, HEADER) as journal:
        for trial in range(50):
            journal.append("commit", {}, trial).result(timeout=100)
            assert commits(path)[-1] == trial


def test_append_does_not_wait_for_the_disk(path, monkeypatch):
    slow = threading.Event()
    with Journal(path, HEADER) as journal:
        sync = os.fsync
        monkeypatch.setattr(os, "fsync", lambda descriptor: (slow.wait(30), sync(descriptor)))
        futures = [journal.append("commit", {}, trial) for trial in range(20)]
        assert not any(future.done() for future in futures)
        slow.set()
        journal.flush()
        assert all(future.done() for future in futures)
    assert commits(path) == list(range(20))


def test_append_refuses_data_that_are_not_json(path):
    with Journal(path, HEADER) as journal, pytest.raises(ValueError):
        journal.append("commit", {"time": float("nan")})


def test_later_changes_of_appended_data_do_not_change_the_record(path, monkeypatch):
    with Journal(path, HEADER) as journal:
        gate, sync = threading.Event(), os.fsync
        monkeypatch.setattr(os, "fsync", lambda descriptor: (gate.wait(30), sync(descriptor)))
        marks = [[1, 2, 3]]
        journal.append("commit", {}, 0)
        future = journal.append("commit", {"marks": marks}, 1)
        marks.clear()
        gate.set()
        assert future.result(timeout=100).data == {"marks": [[1, 2, 3]]}


@pytest.mark.parametrize("cut", [1, 2, 20, 150])
def test_an_incomplete_last_line_is_set_aside(path, cut):
    filled(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    assert commits(path) == [0, 1, 2, 3]
    with Journal(path, HEADER) as journal:
        journal.append("commit", {}, 4)
    assert commits(path) == [0, 1, 2, 3, 4]
    last_line = whole.splitlines(keepends=True)[-1]
    assert path.with_suffix(".torn").read_bytes() == last_line[:-cut]


def test_trailing_zeros_left_by_a_power_cut_are_set_aside(path):
    filled(path)
    with path.open("ab") as file:
        file.write(bytes(512))
    with Journal(path, HEADER) as journal:
        assert len(journal.records) == 5


def test_an_incomplete_header_is_rewritten(path):
    filled(path, 0)
    path.write_bytes(path.read_bytes()[:-10])
    with Journal(path, HEADER) as journal:
        assert journal.records == []
    assert read_journal(path)[0].data == HEADER


def _change_an_answer(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], lines[2].replace(b'"R"', b'"G"'), *lines[3:]]


def _change_an_answer_and_its_hash(lines: list[bytes]) -> list[bytes]:
    from cowgan.canonical_json import canonical, sha256_of_content

    content = json.loads(lines[2])
    content["data"]["answer"] = "G"
    del content["sha256"]
    content["sha256"] = sha256_of_content(content)
    return [*lines[:2], canonical(content), *lines[3:]]


@pytest.mark.parametrize(
    "edit",
    [
        _change_an_answer,
        _change_an_answer_and_its_hash,
        lambda lines: [*lines[:2], *lines[3:]],
        lambda lines: [*lines[:3], lines[2], *lines[3:]],
        lambda lines: [lines[0], lines[2], lines[1], *lines[3:]],
        lambda lines: [*lines[:2], b"{}", *lines[3:]],
        lambda lines: [*lines[:2], b"not json", *lines[3:]],
        lambda lines: [*lines[:2], lines[2].replace(b",", b", "), *lines[3:]],
        lambda lines: lines[1:],
        lambda lines: [*lines[:2], lines[2].replace(b'"R"', b"NaN"), *lines[3:]],
        lambda lines: [*lines[:2], lines[2].replace(b'"R"', b"1e400"), *lines[3:]],
    ],
)
def test_an_edited_journal_is_refused(path, edit, single_sentence):
    filled(path)
    path.write_bytes(b"\n".join(edit(path.read_bytes().splitlines())) + b"\n")
    with pytest.raises(CowganError) as reading:
        read_journal(path)
    with pytest.raises(CowganError) as opening:
        Journal(path, HEADER)
    assert "was changed after it was written" in single_sentence(reading)
    assert single_sentence(opening) == single_sentence(reading)


def test_a_change_while_it_is_open_is_noticed(path, single_sentence):
    with pytest.raises(CowganError) as closing, Journal(path, HEADER) as journal:
        with path.open("ab") as file:
            file.write(b"{}\n")
        journal.append("commit", {}, 1)
    assert "by another program" in single_sentence(closing)


def test_the_journal_of_another_package_is_refused(path, single_sentence):
    filled(path)
    with pytest.raises(CowganError) as refusal:
        Journal(path, {**HEADER, "reader": "sub-R02"})
    assert "another package" in single_sentence(refusal)


def test_a_second_start_is_refused_until_the_first_ends(path, single_sentence):
    with Journal(path, HEADER):
        with pytest.raises(CowganError) as refusal:
            Journal(path, HEADER)
        assert "in use by another window" in single_sentence(refusal)
    Journal(path, HEADER).close()


def test_a_closed_journal_accepts_no_records(path, single_sentence):
    journal = Journal(path, HEADER)
    journal.close()
    journal.close()
    with pytest.raises(CowganError) as refusal:
        journal.append("commit")
    assert "closed" in single_sentence(refusal)


def test_reading_a_missing_journal_is_reported_in_one_sentence(path, single_sentence):
    with pytest.raises(CowganError) as refusal:
        read_journal(path)
    assert "is missing" in single_sentence(refusal)


@posix
@pytest.mark.timeout(60)
@pytest.mark.parametrize("suffix", [".jsonl", ".torn", ".lock"])
def test_links_and_pipes_in_place_of_a_journal_are_refused(path, tmp_path, suffix, single_sentence):
    """A package from elsewhere may hold links, and a torn line of any content."""
    filled(path)
    with path.open("ab") as file:
        file.write(b"echo harm")
    mine = tmp_path / "mine"
    mine.mkdir()
    profile = mine / "profile"
    profile.write_bytes(path.read_bytes() if suffix == ".jsonl" else b"# mine\n")
    before = profile.read_bytes()
    planted = path.with_suffix(suffix)
    planted.unlink(missing_ok=True)
    for lead in (profile, mine / "new"):
        planted.symlink_to(lead)
        with pytest.raises(CowganError) as refusal:
            Journal(path, HEADER)
        assert "link" in single_sentence(refusal)
        planted.unlink()
    os.mkfifo(planted)
    with pytest.raises(CowganError) as refusal:
        Journal(path, HEADER)
    assert "pipe" in single_sentence(refusal)
    assert [file.name for file in mine.iterdir()] == ["profile"]
    assert profile.read_bytes() == before


@contextmanager
def files_no_larger_than(n_bytes: int) -> Iterator[None]:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@posix
def test_a_full_disk_is_reported_and_no_record_is_lost(path, single_sentence):
    problems: list[CowganError] = []
    filled(path)
    with Journal(path, HEADER, on_problem=problems.append) as journal:
        with files_no_larger_than(path.stat().st_size + 100):
            refused = journal.append("commit", {"text": "x" * 500}, 5)
            later = journal.append("commit", {}, 6)
            with pytest.raises(CowganError) as refusal:
                journal.flush()
            assert "full" in single_sentence(refusal)
            assert journal.problem is refusal.value
            assert problems
            assert not refused.done()
            assert commits(path) == [0, 1, 2, 3, 4]
        journal.retry()
        assert refused.result(timeout=100).trial == 5
        assert later.result(timeout=100).trial == 6
        assert journal.problem is None
    assert commits(path) == [0, 1, 2, 3, 4, 5, 6]


@posix
def test_an_actually_full_disk_is_reported(single_sentence, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(disk)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no small disk can be mounted here")
    try:
        path = filled(disk / "journal.jsonl")
        with pytest.raises(CowganError) as refusal, Journal(path, HEADER) as journal:
            for trial in range(5, 200):
                journal.append("commit", {}, trial)
                journal.flush()
        assert "full" in single_sentence(refusal)
        kept = commits(path)
        assert kept == list(range(len(kept)))
        assert len(kept) > 5
    finally:
        subprocess.run(["umount", str(disk)], check=True, capture_output=True)


@posix
def test_records_are_written_again_after_a_failed_sync(path, monkeypatch):
    with Journal(path, HEADER) as journal:
        journal.append("interaction", {}, 1, durable=False).result(timeout=100)
        sync, failures = os.fsync, [OSError(5, "Input/output error")]

        def unreliable(descriptor: int) -> None:
            if failures:
                with path.open("rb+") as file:  # what the disk made of it
                    file.truncate(path.stat().st_size - 300)
                raise failures.pop()
            sync(descriptor)

        monkeypatch.setattr(os, "fsync", unreliable)
        journal.append("commit", {}, 1)
        with pytest.raises(CowganError):
            journal.flush()
        journal.flush()
    assert [record.kind for record in read_journal(path)] == ["journal", "interaction", "commit"]


@contextmanager
def without_root_rights() -> Iterator[None]:
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@posix
def test_a_read_only_folder_is_reported(single_sentence):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        with without_root_rights(), pytest.raises(CowganError) as refusal:
            Journal(folder / "journal.jsonl", HEADER)
        folder.chmod(0o755)
        assert "cannot be written; use a folder of your own" in single_sentence(refusal)
        assert list(folder.iterdir()) == []


def test_the_second_copy_holds_the_same_bytes(path, tmp_path):
    copy = tmp_path / "elsewhere" / "copy.jsonl"
    with Journal(path, HEADER, copy) as journal:
        journal.append("commit", {}, 0).result(timeout=100)
        assert copy.read_bytes() == path.read_bytes()
        copy.write_bytes(b"")
    with Journal(path, HEADER, copy) as journal:
        journal.append("commit", {}, 1)
    assert copy.read_bytes() == path.read_bytes()


def test_a_second_copy_that_cannot_be_written_does_not_stop_the_reading(path, tmp_path):
    problems: list[CowganError] = []
    copy = tmp_path / "elsewhere" / "copy.jsonl"
    with Journal(path, HEADER, copy, problems.append) as journal:
        copy.unlink()
        copy.mkdir()
        journal.append("commit", {}, 0).result(timeout=100)
        journal.append("commit", {}, 1).result(timeout=100)
        assert journal.copy_problem is not None
        assert [problem.sentence for problem in problems] == [journal.copy_problem.sentence]
        copy.rmdir()
        journal.append("commit", {}, 2)
        journal.flush()
        assert journal.copy_problem is None
    assert commits(path) == [0, 1, 2]
    assert copy.read_bytes() == path.read_bytes()


def test_a_second_copy_that_cannot_be_created_is_named(path, tmp_path, single_sentence):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(CowganError) as refusal:
        Journal(path, HEADER, tmp_path / "file" / "copy.jsonl")
    assert "copy.jsonl could not be written" in single_sentence(refusal)
    Journal(path, HEADER).close()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path, copy: copy.write_bytes(b"something else\n"), "not the second copy"),
        (lambda path, copy: path.unlink(), "has lost records"),
        (
            lambda path, copy: path.write_bytes(
                b"".join(path.read_bytes().splitlines(keepends=True)[:3])
            ),
            "has lost records",
        ),
    ],
)
def test_a_journal_that_contradicts_its_copy_is_refused(
    path, tmp_path, spoil, words, single_sentence
):
    copy = tmp_path / "copy.jsonl"
    with Journal(path, HEADER, copy) as journal:
        for trial in range(5):
            journal.append("commit", {}, trial)
    spoil(path, copy)
    with pytest.raises(CowganError) as refusal:
        Journal(path, HEADER, copy)
    assert words in single_sentence(refusal)


def kill_repeatedly(path: Path, kills: int) -> None:
    chance = random.Random(kills)
    acknowledged: list[int] = []
    for _ in range(kills):
        child = subprocess.Popen([sys.executable, str(CHILD), str(path)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        # Some die while they start; the others at any moment of their work.
        if chance.random() < 0.1:
            time.sleep(chance.uniform(0, 0.08))
        else:
            assert select.select([child.stdout], [], [], 60)[0], "the reader does nothing"
            time.sleep(chance.uniform(0, 0.03))
        child.kill()
        acknowledged += map(int, child.stdout.read().split())
        child.stdout.close()
        child.wait()
    answers = {
        record.trial: (record.data["answer"], record.data["level"])
        for record in read_journal(path)
        if record.kind == "commit"
    }
    assert set(acknowledged) <= set(answers), "a committed answer was lost"
    assert commits(path) == list(range(1, len(answers) + 1)), "an answer is doubled or missing"
    assert len(answers) - len(acknowledged) <= kills
    assert all(answer == answer_of(trial) for trial, answer in answers.items())
    with Journal(path, CHILD_HEADER, path.with_name("copy.jsonl")) as journal:
        journal.append("stop")
    assert path.with_name("copy.jsonl").read_bytes() == path.read_bytes()


@posix
def test_readers_killed_at_any_moment_lose_no_answer(path):
    kill_repeatedly(path, 20)


@posix
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_two_hundred_kills_lose_no_answer(path):
    kill_repeatedly(path, 200)


@pytest.mark.parametrize(
    ("module", "unneeded"),
    [
        ("cowgan.turing.reading.session", {"numpy", "torch"}),
        ("cowgan.turing.reading.package", {"scipy", "torch"}),
        ("cowgan.turing.study.creation", {"torch"}),
    ],
)
def test_each_module_imports_only_what_it_needs(module, unneeded):
    code = f"import {module}, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, encoding="utf-8"
    ).stdout.split()
    assert module in loaded
    assert not unneeded & set(loaded)
