"""Tests of the command ``cowgan phantom``."""

import json
from pathlib import Path

import numpy as np
import pytest
from command_line import cowgan

from cowgan.simulate import make_phantom
from cowgan.volume import read_labels, read_volume


def test_each_seed_gets_a_volume_a_label_map_and_its_truth(tmp_path: Path) -> None:
    result = cowgan("phantom", "--seeds", "4-5", "--out", tmp_path, "--json")
    assert result.returncode == 0, result.stderr
    rows = json.loads(result.stdout)
    assert [row["seed"] for row in rows] == [4, 5]
    volume, labels, truth = make_phantom(4)
    written = read_volume(Path(rows[0]["volume"]))
    np.testing.assert_array_equal(written.data, volume.data)
    assert written.synthetic
    stored, affine = read_labels(Path(rows[0]["labels"]))
    np.testing.assert_array_equal(stored, labels)
    np.testing.assert_allclose(affine, written.affine, atol=1e-5)
    known = json.loads(Path(rows[0]["truth"]).read_text(encoding="utf-8"))
    assert known == truth.to_dict()
    assert known["arteries"]["R-ICA"]["label"] == 4
    assert rows[0]["variant"] == truth.variant


def test_a_variant_may_be_asked_for(tmp_path: Path) -> None:
    result = cowgan("phantom", "--seeds", 1, "--out", tmp_path, "--variant", "absent ACom")
    assert result.returncode == 0, result.stderr
    assert "absent ACom" in result.stdout
    labels, _ = read_labels(tmp_path / "phantom_000001_label.nii.gz")
    assert not (labels == 10).any()


@pytest.mark.parametrize(
    "arguments", [("--seeds", "1", "--variant", "no nose"), ("--seeds", "3-1"), ("--seeds", "0")]
)
def test_impossible_requests_are_reported_in_one_sentence_and_change_nothing(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    before = tmp_path / "phantom_000000_truth.json"
    before.write_text("kept", encoding="utf-8")
    result = cowgan("phantom", "--out", tmp_path, *arguments)
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert result.stderr.rstrip().splitlines()[-1].endswith(".")
    assert [p.name for p in tmp_path.iterdir()] == [before.name]
    assert before.read_text(encoding="utf-8") == "kept"
