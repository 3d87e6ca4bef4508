"""Background tasks of the Data panel, without a window."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from cowgan.data.case_records import CaseRecord, write_manifest
from cowgan.data.preprocess import PreprocessConfig
from cowgan.errors import Cancelled, CowganError
from cowgan.progress import Silent
from cowgan.volume import Volume, default_affine, write_nifti
from napari_cowgan.data.tasks import CaseRow, build_bank, prepare, prepared_cases

SHAPE = (60, 150, 150)
AUTOMATIC = PreprocessConfig(roi="auto", jobs=1)


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two scans that show crossing arteries, and a damaged one."""
    folder = tmp_path_factory.mktemp("scans")
    data = (100 + 10 * np.random.default_rng(0).standard_normal(SHAPE)).astype(np.float32)
    data[29:32, 40:110, 74:77] = 600
    data[29:32, 74:77, 40:110] = 600
    write_nifti(Volume(data, default_affine(SHAPE)), folder / "sub-1.nii.gz")
    shutil.copy(folder / "sub-1.nii.gz", folder / "sub-2.nii.gz")
    (folder / "broken.nii.gz").write_bytes(b"hello")
    return folder


class StopAfter:
    """A user who cancels after a number of cases."""

    def __init__(self, cases: int) -> None:
        self.cases = cases
        self.cancelled = False

    def report(self, done: int, total: int, message: str = "") -> None:
        self.cancelled = done >= self.cases


def test_every_case_is_reported_when_it_finishes_and_with_its_outcome(scans, tmp_path):
    rows: list[CaseRow] = []
    sentence = prepare([scans], tmp_path / "out", AUTOMATIC, rows.extend, Silent())
    assert sentence == "Scans: 2 done, 1 failed."
    assert [row.name for row in rows if row.outcome == "finished"] == ["broken", "sub-1", "sub-2"]
    last = {row.name: row for row in rows}
    assert {name: row.outcome for name, row in last.items()} == {
        "broken": "failed",
        "sub-1": "done",
        "sub-2": "done",
    }
    assert "a text file" in last["broken"].reason
    assert last["broken"].path == scans / "broken.nii.gz"
    assert last["sub-1"].path == tmp_path / "out" / "sub-1.nii.gz"
    assert prepared_cases(tmp_path / "out") == [last[name] for name in sorted(last)]

    again = prepare([scans], tmp_path / "out", AUTOMATIC, rows.extend, Silent())
    assert again == "Scans: 2 done, 1 failed (2 from before)."
    made = build_bank(tmp_path / "out", tmp_path / "bank", 1, Silent())
    assert made.startswith("Saved a bank of 2 volumes")


def test_stopping_keeps_what_is_finished(scans, tmp_path):
    with pytest.raises(Cancelled):
        prepare([scans], tmp_path / "out", AUTOMATIC, lambda rows: None, StopAfter(2))
    assert [row.outcome for row in prepared_cases(tmp_path / "out")] == ["failed", "done"]


def test_a_folder_without_results_has_no_cases(tmp_path):
    assert prepared_cases(tmp_path) == []
    assert prepared_cases(tmp_path / "nowhere") == []
    assert prepared_cases(Path("/" + "x" * 5000)) == []
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CowganError, match="choose another folder"):
        prepared_cases(tmp_path)


def test_of_a_case_set_aside_the_scan_itself_is_shown(tmp_path):
    records = [
        CaseRecord("a", "rejected", "The registration scores 0.31.", "/x/a.nii.gz", score=0.31),
        CaseRecord("b", "rejected", "The registration scores 0.31.", "/x/b.mha", score=0.31),
    ]
    write_manifest(tmp_path, records)
    first, second = prepared_cases(tmp_path)
    assert (first.outcome, first.score, first.path) == ("set aside", 0.31, Path("/x/a.nii.gz"))
    assert second.path == Path("/x/b.mha")
    with pytest.raises(CowganError):
        build_bank(tmp_path, tmp_path / "bank", 1, Silent())


def test_naming_the_panel_loads_neither_torch_nor_qt():
    code = "import sys, napari_cowgan.data; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    assert set(done.stdout.split()).isdisjoint({"torch", "qtpy", "PyQt6", "PySide6", "superqt"})
