"""Tests of lock files, also while they are created and removed."""

import os

import pytest

from cowgan import locking
from cowgan.errors import CowganError
from cowgan.folders import folder_in_the_making
from cowgan.locking import AlreadyHeld, HeldLock


def test_a_lock_keeps_others_out_until_it_is_released(tmp_path):
    first = HeldLock(tmp_path / "lock")
    with pytest.raises(AlreadyHeld):
        HeldLock(tmp_path / "lock")
    first.release()
    HeldLock(tmp_path / "lock").release()


def test_a_removed_lock_leaves_no_file(tmp_path):
    HeldLock(tmp_path / "lock").remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="an open file cannot be removed there")
def test_only_one_makes_a_folder_if_another_ends_while_it_begins(
    tmp_path, monkeypatch, single_sentence
):
    """The second opens the lock file; the first removes it; a third comes."""
    target = tmp_path / "folder"
    first = HeldLock(tmp_path / ".part-folder.lock")
    lock, attempts = locking._lock, []

    def end_the_first_before(descriptor):
        if not attempts:
            first.remove()
        attempts.append(descriptor)
        lock(descriptor)

    monkeypatch.setattr(locking, "_lock", end_the_first_before)
    with folder_in_the_making(target, 0) as part:
        (part / "whose").write_text("the second", encoding="utf-8")
        with pytest.raises(CowganError) as refusal, folder_in_the_making(target, 0):
            pass
        assert "being made by another process" in single_sentence(refusal)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    assert (target / "whose").read_text(encoding="utf-8") == "the second"
