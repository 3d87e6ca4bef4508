import errno
import hashlib
import json

import pytest

from cowgan.errors import CowganError
from cowgan.files import atomic_path, sha256_of, write_json


def test_a_file_appears_only_when_it_is_complete(tmp_path):
    target = tmp_path / "new" / "folder" / "data.nii.gz"
    with atomic_path(target) as temporary:
        temporary.write_bytes(b"content")
        assert not target.exists()
        assert temporary.parent == target.parent
        assert temporary.name.endswith("data.nii.gz")
    assert target.read_bytes() == b"content"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("problem", [ValueError("bug"), KeyboardInterrupt()])
def test_any_failure_leaves_the_old_file_and_no_rest(tmp_path, problem):
    target = tmp_path / "data.json"
    target.write_text("old")
    with pytest.raises(type(problem)), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise problem
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_told_in_one_sentence(tmp_path, single_sentence):
    target = tmp_path / "data.json"
    with pytest.raises(CowganError) as refusal, atomic_path(target):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert "No space left on device" in single_sentence(refusal)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_a_file_is_told_in_one_sentence(tmp_path, single_sentence):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CowganError) as refusal:
        write_json(tmp_path / "file" / "data.json", {})
    single_sentence(refusal)


def test_a_writer_that_writes_nothing_is_an_error(tmp_path, single_sentence):
    with pytest.raises(CowganError) as refusal, atomic_path(tmp_path / "data.json"):
        pass
    single_sentence(refusal)


def test_json_is_written_whole(tmp_path):
    write_json(tmp_path / "data.json", {"name": "Käse", "values": [1, 2]})
    assert json.loads((tmp_path / "data.json").read_text()) == {"name": "Käse", "values": [1, 2]}


def test_sha256_is_that_of_the_bytes(tmp_path):
    (tmp_path / "x").write_bytes(b"abc" * 100_000)
    assert sha256_of(tmp_path / "x") == hashlib.sha256(b"abc" * 100_000).hexdigest()
