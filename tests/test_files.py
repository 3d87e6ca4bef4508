import errno
import hashlib
import json
import os
import socket
from pathlib import Path

import pytest

from cowgan.errors import CowganError
from cowgan.files import (
    atomic_path,
    open_regular,
    path_inside,
    read_bytes,
    sha256_of,
    write_json,
)


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
    target.write_text("old", encoding="utf-8")
    with pytest.raises(type(problem)), atomic_path(target) as temporary:
        temporary.write_text("half", encoding="utf-8")
        raise problem
    assert target.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_reported_in_one_sentence(tmp_path, single_sentence):
    target = tmp_path / "data.json"
    with pytest.raises(CowganError) as refusal, atomic_path(target):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert "No space left on device" in single_sentence(refusal)
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_a_file_is_reported_in_one_sentence(tmp_path, single_sentence):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(CowganError) as refusal:
        write_json(tmp_path / "file" / "data.json", {})
    single_sentence(refusal)


def test_a_writer_that_writes_nothing_is_an_error(tmp_path, single_sentence):
    with pytest.raises(CowganError) as refusal, atomic_path(tmp_path / "data.json"):
        pass
    single_sentence(refusal)


def test_json_is_written_whole(tmp_path):
    write_json(tmp_path / "data.json", {"name": "Käse", "values": [1, 2]})
    assert json.loads((tmp_path / "data.json").read_text(encoding="utf-8")) == {
        "name": "Käse",
        "values": [1, 2],
    }


def test_sha256_is_that_of_the_bytes(tmp_path):
    (tmp_path / "x").write_bytes(b"abc" * 100_000)
    assert sha256_of(tmp_path / "x") == hashlib.sha256(b"abc" * 100_000).hexdigest()


def test_a_file_is_read_up_to_its_limit(tmp_path, single_sentence):
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    assert read_bytes(path, 3) == b"abc"
    with pytest.raises(CowganError) as refusal:
        read_bytes(path, 2)
    assert "larger" in single_sentence(refusal)


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="Linux alone has such files")
def test_a_file_that_states_no_size_has_the_same_limit(single_sentence):
    with pytest.raises(CowganError) as refusal:
        read_bytes(Path("/proc/self/smaps"), 10)
    assert "larger" in single_sentence(refusal)


@pytest.fixture(params=["folder", "pipe", "socket", "device", "link to a device"])
def irregular(request, tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "x.nii"
    if request.param == "folder":
        path.mkdir()
    elif os.name == "nt":
        pytest.skip("such files are none there")
    elif request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "socket":
        with socket.socket(socket.AF_UNIX) as own:
            own.bind(path.name)
    elif request.param == "device":
        path = Path("/dev/zero")
    else:
        path.symlink_to("/dev/zero")
    return path


@pytest.mark.timeout(20)
@pytest.mark.parametrize("read", [open_regular, sha256_of, lambda path: read_bytes(path, 10)])
def test_anything_but_a_regular_file_is_refused(irregular, read, single_sentence):
    with pytest.raises(CowganError) as refusal:
        read(irregular)
    assert "not a file" in single_sentence(refusal)


def test_a_missing_file_is_reported_in_one_sentence(tmp_path, single_sentence):
    for name in ("absent", "a\0b"):
        with pytest.raises(CowganError) as refusal:
            read_bytes(tmp_path / name, 10)
        single_sentence(refusal)


def test_names_stay_inside_their_folder(tmp_path, single_sentence):
    package = tmp_path / "package"
    (package / "vol").mkdir(parents=True)
    (tmp_path / "outside").write_text("secret", encoding="utf-8")
    (package / "vol" / "inner").symlink_to("../manifest")
    assert path_inside(package, "vol/a.npy") == package / "vol" / "a.npy"
    assert path_inside(package, "vol/inner") == package / "vol" / "inner"
    (package / "vol" / "link").symlink_to(tmp_path / "outside")
    (package / "away").symlink_to(tmp_path)
    for name in (
        *("../outside", "/etc/passwd", "vol/../../outside", "vol/link", "away/outside"),
        *("..", "vol\\..\\x", "C:x", "a\0b", "vol//a", "./vol/a", "vol/../vol/a"),
    ):
        with pytest.raises(CowganError) as refusal:
            path_inside(package, name)
        single_sentence(refusal)
