"""Tests that archives are checked before they are unpacked."""

import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from cowgan.archives import open_archive, read_member
from cowgan.errors import CowganError


def write_list(path: Path, count: int) -> Path:
    """Write an archive that lists so many files and holds none."""
    entries = b"".join(
        struct.pack("<4s6H3L5H2L", b"PK\1\2", *[0] * 9, 8, *[0] * 6) + b"%08d" % number
        for number in range(count)
    )
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, len(entries), 0, 0)
    path.write_bytes(entries + end)
    return path


def test_a_list_of_countless_files_is_not_read(tmp_path, single_sentence):
    with open_archive(write_list(tmp_path / "few.zip", 3)) as archive:
        assert len(archive.namelist()) == 3
    path = write_list(tmp_path / "many.zip", 100_000)
    tracemalloc.start()
    try:
        with pytest.raises(CowganError) as refusal, open_archive(path):
            pass
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()
    assert "could not be read" in single_sentence(refusal)


def test_an_archive_that_begins_late_and_has_a_comment_is_read(tmp_path):
    path = tmp_path / "late.zip"
    path.write_bytes(b"something else" * 100)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("file", b"content")
        archive.comment = b"A comment." * 1000
    with open_archive(path) as archive:
        assert read_member(archive, "file", 7, path) == b"content"
