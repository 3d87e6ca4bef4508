"""Tests of damaged, edited and malicious JSON and TOML files."""

import json
import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from cowgan.documents import checked, parse_json, read_json, read_toml
from cowgan.errors import CowganError
from cowgan.tables import read_table


@dataclass(frozen=True)
class Size:
    shape: tuple[int, int]
    spacing_mm: float = 1.0

    def __post_init__(self) -> None:
        if self.spacing_mm <= 0:
            raise CowganError("A voxel has a size.", f"spacing {self.spacing_mm}")


@dataclass(frozen=True)
class Made:
    schema: Literal["made/1"]
    sizes: tuple[Size, ...]
    by: str | None = None
    more: dict[str, Any] = field(default_factory=dict)


SOUND = {
    "schema": "made/1",
    "sizes": [{"shape": [2, 3], "spacing_mm": 2}],
    "by": None,
    "more": {"a": [None]},
}


def test_a_document_becomes_a_dataclass(tmp_path: Path) -> None:
    path = tmp_path / "made.json"
    path.write_text(json.dumps(SOUND), encoding="utf-8")
    assert read_json(path, Made) == Made("made/1", (Size((2, 3), 2.0),), None, {"a": [None]})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_what_editors_on_windows_save_is_read(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.json").write_text('{\r\n "name": "Köln"\r\n}\r\n', encoding, newline="")
    assert read_json(tmp_path / "a.json", dict[str, Any]) == {"name": "Köln"}
    (tmp_path / "a.toml").write_text('name = "Köln"\r\n[a]\r\nb = 1\r\n', encoding, newline="")
    assert read_toml(tmp_path / "a.toml") == {"name": "Köln", "a": {"b": 1}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": "made/2"}, "schema should be 'made/1'"),
        ({"schema": 1}, "schema should be 'made/1'"),
        ({"sizes": None}, "sizes should be a valid"),
        ({"sizes": {}}, "sizes should be a valid"),
        ({"sizes": [{}]}, "sizes.0.shape is missing"),
        ({"sizes": [{"shape": [1]}]}, "sizes.0.shape.1 is missing"),
        ({"sizes": [{"shape": [1, 2.5]}]}, "sizes.0.shape.1 should be a valid integer"),
        ({"sizes": [{"shape": [1, True]}]}, "sizes.0.shape.1 should be a valid integer"),
        ({"sizes": [{"shape": [1, "2"]}]}, "sizes.0.shape.1 should be a valid integer"),
        ({"sizes": [{"shape": [1, 2], "spacing_mm": "1"}]}, "spacing_mm should be a valid number"),
        ({"sizes": [{"shape": [1, 2], "spacing_mm": math.nan}]}, "should be a finite number"),
        ({"sizes": [{"shape": [1, 2], "spacing_mm": 0}]}, "A voxel has a size"),
        ({"by": 5}, "by should be a valid string"),
        ({"more": []}, "more should be"),
        ({"unheard": 1}, "unheard is not known"),
        ({"sizes": [{"shape": [1, 2]}]}, "sizes.0.spacing_mm is missing"),
    ],
)
def test_an_invalid_document_is_reported_in_one_sentence(
    change, message: str, single_sentence
) -> None:
    with pytest.raises(CowganError) as refusal:
        parse_json(json.dumps(SOUND | change), Made, "/a/made.json")
    sentence = single_sentence(refusal)
    assert sentence.startswith("/a/made.json is damaged") and message in sentence
    with pytest.raises(CowganError):
        checked(SOUND | change, Made, "/a/made.json")


def test_other_versions_may_lack_fields_and_have_others() -> None:
    plain = {"schema": "made/1", "sizes": [{"shape": [1, 2], "later": 3}], "unheard": 1}
    made = Made("made/1", (Size((1, 2)),))
    assert checked(plain, Made, "It", other_versions=True) == made
    with pytest.raises(CowganError):
        checked(plain | {"by": 5}, Made, "It", other_versions=True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe{}",
        b"[" * 500 + b"]" * 500,
        b'{"a":' * 100_000,
        b'{"a": "\\ud800"}',
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[]",
        b"null",
    ],
)
def test_no_bytes_are_a_fault_of_the_program(content: bytes, tmp_path, single_sentence) -> None:
    path = tmp_path / "made.json"
    path.write_bytes(content)
    with pytest.raises(CowganError) as refusal:
        read_json(path, dict[str, Any])
    assert "made.json is damaged" in single_sentence(refusal)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name = 'Köln'".encode("latin-1"), "is not text in UTF-8; save it again"),
        (b'{"a": "\xed\xa0\x80"}', "is not text in UTF-8"),
        (b"\xff\xfe\x00", "is not text in UTF-8"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "pointer of Git LFS"),
        (b"<!DOCTYPE html><html>404</html>", "a web page"),
        (b"PK\x03\x04", "a zip archive"),
    ],
)
def test_unreadable_text_is_reported(content, message, tmp_path, single_sentence):
    for read in (read_toml, lambda path: read_json(path, dict[str, Any]), read_table):
        (tmp_path / "made").write_bytes(content)
        with pytest.raises(CowganError) as refusal:
            read(tmp_path / "made")
        assert message in single_sentence(refusal)


def test_text_that_is_no_text_is_refused(single_sentence) -> None:
    with pytest.raises(CowganError) as refusal:
        parse_json('{"a": "\ud800"}', dict[str, Any], "The header")
    assert single_sentence(refusal).startswith("The header is damaged")


def test_only_files_of_bounded_size_are_read(tmp_path: Path, single_sentence) -> None:
    (tmp_path / "large.json").write_bytes(b"[" + b" " * 2000)
    os.mkfifo(tmp_path / "pipe.json")
    for name in ("large.json", "pipe.json", "missing.json", "."):
        with pytest.raises(CowganError) as refusal:
            read_json(tmp_path / name, dict[str, Any], limit=1000)
        assert str(tmp_path) in single_sentence(refusal)
    with pytest.raises(CowganError):
        read_json(Path("/dev/zero"), dict[str, Any])


@pytest.mark.parametrize("content", [b"a = ", b"a = " + b"[" * 5000, b"a = 1\na = 2", b"a = 1\x00"])
def test_damaged_toml_is_reported_in_one_sentence(
    content: bytes, tmp_path, single_sentence
) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    with pytest.raises(CowganError) as refusal:
        read_toml(path)
    assert "config.toml is not a valid TOML file" in single_sentence(refusal)


def test_deep_toml_is_no_fault_of_the_program(tmp_path: Path, single_sentence) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf" + b".".join([b"a"] * 5000) + b" = 1")
    with pytest.raises(CowganError) as refusal:
        checked(read_toml(path), dict[str, Any], "The file")
    assert single_sentence(refusal).startswith("The file is damaged")
