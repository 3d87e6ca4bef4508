"""Tests of the command ``cowgan segment compare``."""

import csv

import numpy as np
import pytest
from command_line import cowgan

from cowgan.volume import default_affine, write_labels

SHAPE = (8, 24, 24)
AFFINE = default_affine(SHAPE)
CASES = [f"sub-{number}" for number in range(7)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Return a folder of truths and of predictions, of which the second are better."""
    folder = tmp_path_factory.mktemp("compared")
    for case in CASES:
        truth = np.zeros(SHAPE, np.uint8)
        truth[2:6, 4:12, 4:8] = 2
        truth[2:6, 14:22, 4:20] = 3
        for name, lost in (("truth", 0), ("first", 5), ("second", 1)):
            (folder / name).mkdir(exist_ok=True)
            labels = truth.copy()
            labels[2:6, 14 : 14 + lost] = 0
            if (name, case) == ("first", CASES[0]):
                labels[labels == 2] = 0
            write_labels(labels, AFFINE, folder / name / f"{case}.nii.gz")
    return folder


def run(folders, out, *options, arms=("A=first", "B=second")):
    given = [arm.replace("=", f"={folders}/") for arm in arms]
    return cowgan(
        *("segment", "compare", *given, "--truth", folders / "truth"),
        *("--scheme", "territories", "--out", out, *options),
    )


def test_a_report_and_its_tables_are_written(folders, tmp_path):
    out = tmp_path / "out"
    result = run(folders, out, "--margin", 0.02)
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("B has a higher mean Dice than A.")
    assert sorted(path.name for path in out.iterdir()) == [
        *("differences.csv", "means.csv", "report.html", "report.pdf", "scores.csv"),
    ]
    with (out / "differences.csv").open(newline="", encoding="utf-8") as file:
        rows = {(row["artery"], row["metric"]): row for row in csv.DictReader(file)}
    found = rows["anterior", "dice"]
    expected = 2 * 7 / 15 - 2 * 3 / 11
    for column in ("difference", "low", "high"):
        assert float(found[column]) == pytest.approx(expected)
    assert (found["n"], found["within_margin"]) == ("7", "False")
    assert ("other vessel", "dice") not in rows
    html = (out / "report.html").read_text(encoding="utf-8")
    assert "1 missed, 0 made up" in html
    assert "Worst case, sub-0" in html


@pytest.mark.parametrize(
    ("arms", "said"),
    [
        (("first", "B=second"), "as NAME=FOLDER."),
        (("A=first",), "at least two predictions"),
        (("A=first", "A=second"), "Two predictions are called A"),
        (("A=first", "B=nowhere"), "nowhere does not exist"),
    ],
)
def test_bad_requests_end_in_one_sentence(folders, tmp_path, arms, said):
    result = run(folders, tmp_path / "out", arms=arms)
    assert result.returncode == 2
    (sentence,) = result.stderr.splitlines()
    assert said in sentence
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_kept(folders, tmp_path):
    (tmp_path / "mine").write_text("x", encoding="utf-8")
    result = run(folders, tmp_path)
    assert (result.returncode, "exists already" in result.stderr) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
