"""Tests of the manifest: round trip, tables, and files of other programs."""

import csv

import pytest

from cowgan.data.case_records import CaseRecord, read_manifest, software_versions, write_manifest
from cowgan.errors import CowganError

_DONE = CaseRecord(
    "b",
    "done",
    input="/in/b.nii",
    input_sha256="1" * 64,
    output="b.nii.gz",
    score=0.7,
    coverage=1.0,
    to_template=[[1.0, 0, 0, 0]] * 4,
    parameters={"roi": [0, 0, 0]},
)
_FAILED = CaseRecord("a", "failed", "The file, they say, is damaged.", "/in/a.nii")
_REJECTED = CaseRecord("c", "rejected", "Low.", "/in/c.nii", score=0.2)


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_records_are_read_back_unchanged(tmp_path):
    write_manifest(tmp_path, [_DONE, _FAILED, _REJECTED])
    assert read_manifest(tmp_path) == {"a": _FAILED, "b": _DONE, "c": _REJECTED}


def test_tables_list_all_cases_and_failures(tmp_path):
    write_manifest(tmp_path, [_DONE, _FAILED, _REJECTED])
    assert [row["name"] for row in rows(tmp_path / "manifest.csv")] == ["a", "b", "c"]
    failed = rows(tmp_path / "failed.csv")
    assert [(row["name"], row["reason"]) for row in failed] == [
        ("a", _FAILED.reason),
        ("c", _REJECTED.reason),
    ]


def test_a_missing_manifest_is_empty(tmp_path):
    assert read_manifest(tmp_path) == {}


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"kind": "x"}', '{"kind": "napari-cowgan preprocessing", "cases": [1]}'],
)
def test_a_foreign_manifest_is_refused(content, tmp_path, single_sentence):
    (tmp_path / "manifest.json").write_text(content, encoding="utf-8")
    with pytest.raises(CowganError) as refusal:
        read_manifest(tmp_path)
    single_sentence(refusal)


def test_versions_name_the_software_that_affects_the_voxels():
    assert {"cowgan", "numpy", "scipy"} <= set(software_versions())
