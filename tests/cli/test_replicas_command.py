"""Tests of the command ``cowgan replicas``."""

import csv
import json
from pathlib import Path

import pytest
from planted_copies import person
from typer.testing import CliRunner

from cowgan.cli.app import app
from cowgan.errors import CowganError
from cowgan.volume import Volume, write_nifti


def run(*arguments: object):
    return CliRunner().invoke(app, ["replicas", *map(str, arguments)])


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return generated volumes, one of which mirrors a training volume, and training volumes."""
    generated, training = (tmp_path_factory.mktemp(name) for name in ("made", "bank"))
    for seed in range(12):
        write_nifti(person(seed), training / f"sub-{seed:02}.nii.gz")
    copied = person(7)
    write_nifti(Volume(copied.data[:, ::-1].copy(), copied.affine), generated / "seed_7.nii.gz")
    write_nifti(person(50), generated / "seed_50.nii.gz")
    return generated, training


def test_a_mirrored_copy_is_named_in_table_json_and_report(folders, tmp_path: Path) -> None:
    generated, training = folders
    arguments = ("--generated", generated, "--training", training, "--out", tmp_path / "found")
    done = run(*arguments, "--false-alarms", 0.1, "--jobs", 1, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["flagged"] >= 1
    with (tmp_path / "found" / "replicas.csv").open(newline="", encoding="utf-8") as file:
        first = next(csv.DictReader(file))
    assert (first["generated"], first["training"], first["mirrored"], first["flagged"]) == (
        *("seed_7", "sub-07", "True", "True"),
    )
    stored = json.loads((tmp_path / "found" / "replicas.json").read_text(encoding="utf-8"))
    assert stored["matches"][0]["training"] == "sub-07"
    assert "sub-07, mirrored" in (tmp_path / "found" / "replicas.html").read_text(encoding="utf-8")
    again = run(*arguments)
    assert isinstance(again.exception, CowganError)
    assert "--overwrite" in str(again.exception)


@pytest.mark.parametrize(
    ("generated", "training", "message"),
    [
        ("missing", "bank", "missing"),
        ("empty", "bank", "empty"),
        ("made", "notes.txt", "notes.txt"),
    ],
)
def test_wrong_input_is_reported_in_one_sentence_and_leaves_nothing(
    generated: str, training: str, message: str, folders, tmp_path: Path, single_sentence
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("no volume", encoding="utf-8")
    paths = {"made": folders[0], "bank": folders[1]}
    one, other = (paths.get(name, tmp_path / name) for name in (generated, training))
    refused = run("--generated", one, "--training", other, "--out", tmp_path / "out")
    assert isinstance(refused.exception, CowganError)
    assert message in str(refused.exception)
    assert not (tmp_path / "out").exists()
