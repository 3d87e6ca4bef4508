"""Tests of banks of NIfTI files: accepted and refused input, and cleanup after failures."""

import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import nibabel as nib
import numpy as np
import psutil
import pytest

from cowgan.bank.bank import Bank
from cowgan.bank.description import CASES_FILE, DESCRIPTION_FILE, VOXELS_FILE
from cowgan.bank.from_nifti import bank_from_nifti
from cowgan.bank.split import SplitRule
from cowgan.bank.writing import BankOptions
from cowgan.errors import Cancelled, CowganError
from cowgan.pool import map_in_order
from cowgan.simulate.phantom_export import export_phantoms
from cowgan.volume import Volume, default_affine, write_nifti

SHAPE = (4, 6, 5)
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals and locks")


def volume(seed: int, shape=SHAPE, scale: float = 1) -> Volume:
    data = np.random.default_rng(seed).random(shape, np.float32) * scale
    return Volume(data, default_affine(shape))


@pytest.fixture
def scans(tmp_path) -> Path:
    for i in range(6):
        write_nifti(volume(i), tmp_path / "scans" / f"case{i}.nii.gz")
    return tmp_path / "scans"


def refused(inputs, target: Path, single_sentence, *args, **options) -> str:
    """Return the sentence of a refusal that leaves nothing behind."""
    before = sorted(target.parent.rglob("*"))
    with pytest.raises(CowganError) as refusal:
        bank_from_nifti(inputs, target, *args, options=BankOptions(**options))
    assert sorted(target.parent.rglob("*")) == before
    return single_sentence(refusal)


def test_folders_are_searched_and_names_include_the_folder(tmp_path):
    for name in ("sub-2/anat/sub-2_angio.nii.gz", "sub-1/anat/sub-1_angio.NII", "top.nii"):
        write_nifti(volume(0), tmp_path / "in" / name.replace("NII", "nii"))
    (tmp_path / "in" / "._top.nii").write_text(
        "what macOS leaves on foreign disks", encoding="utf-8"
    )
    (tmp_path / "in" / "notes.txt").write_text("no image", encoding="utf-8")
    bank = bank_from_nifti([tmp_path / "in"], tmp_path / "bank")
    assert [case.name for case in bank.cases] == ["sub-1_angio", "sub-2_angio", "top"]
    assert [case.subject for case in bank.cases] == ["sub-1", "sub-2", "top"]


def test_label_maps_beside_the_images_do_not_get_into_a_bank(tmp_path):
    export_phantoms(range(3), tmp_path / "phantoms")
    bank = bank_from_nifti([tmp_path / "phantoms"], tmp_path / "bank", "robust")
    assert len(bank) == 3
    aside = bank.description.origin["set_aside"]
    assert len(aside) == 3
    assert all("label map" in one["reason"] for one in aside)
    assert all(np.unique(bank.read([i])).size > 50 for i in range(3)), "grey levels, no labels"


def test_files_and_folders_may_be_mixed(scans, tmp_path):
    write_nifti(volume(9), tmp_path / "more.nii.gz")
    bank = bank_from_nifti([scans, tmp_path / "more.nii.gz"], tmp_path / "bank")
    assert [case.name for case in bank.cases] == [*(f"case{i}" for i in range(6)), "more"]
    assert (
        bank_from_nifti([tmp_path / "more.nii.gz", scans], tmp_path / "again").sha256 == bank.sha256
    ), "the order of the inputs does not matter"


def test_left_stays_left_for_every_stored_order(tmp_path):
    las = np.random.default_rng(0).uniform(0, 0.5, (6, 5, 4)).astype(np.float32)  # x, y, z
    las[5, 2, 1] = 1  # patient left
    affine = default_affine(SHAPE)
    (tmp_path / "in").mkdir()
    nib.save(nib.Nifti1Image(las, affine), tmp_path / "in" / "las.nii.gz")
    ras = nib.as_closest_canonical(nib.Nifti1Image(las, affine))
    assert nib.aff2axcodes(ras.affine) == ("R", "A", "S")
    nib.save(ras, tmp_path / "in" / "ras.nii.gz")
    bank = bank_from_nifti([tmp_path / "in"], tmp_path / "bank")
    for volume_ in bank.read([0, 1]):
        assert np.argwhere(volume_[0] == 1).tolist() == [[1, 5, 2]]


@pytest.mark.parametrize(
    ("scaling", "percentiles"), [("robust", (0.1, 99.9)), ("minmax", (0, 100))]
)
def test_scaling_is_recorded(tmp_path, scaling, percentiles):
    scan = volume(1, (20, 20, 20), scale=1149)
    write_nifti(scan, tmp_path / "scan.nii.gz")
    bank = bank_from_nifti(
        [tmp_path / "scan.nii.gz"],
        tmp_path / "bank",
        scaling,
        BankOptions(voxel_type="uint16"),
    )
    low, high = np.percentile(scan.data, percentiles)
    expected = np.clip((scan.data - low) / (high - low), 0, 1)
    np.testing.assert_allclose(bank.read([0])[0, 0], expected, atol=1e-4)
    intensity = bank.cases[0].provenance["intensity"]
    assert intensity["scaling"] == scaling
    assert intensity["low"] == pytest.approx(low)
    assert intensity["high"] == pytest.approx(high)


def test_the_table_of_cases_splits_another_bank_alike(scans, tmp_path):
    bank = bank_from_nifti([scans], tmp_path / "bank", options=BankOptions(SplitRule(0.4, seed=3)))
    rule = SplitRule(table=bank.path / CASES_FILE)
    again = bank_from_nifti([scans], tmp_path / "again", options=BankOptions(rule))
    assert again.sha256 == bank.sha256


def test_any_number_of_processes_gives_the_same_files(scans, tmp_path):
    banks = [
        bank_from_nifti([scans], tmp_path / f"jobs{jobs}", options=BankOptions(jobs=jobs))
        for jobs in (1, 2)
    ]
    for name in (VOXELS_FILE, DESCRIPTION_FILE, CASES_FILE):
        assert (banks[0].path / name).read_bytes() == (banks[1].path / name).read_bytes()


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_bad_file_is_named_and_nothing_is_left(scans, tmp_path, jobs, single_sentence):
    (scans / "case4.nii.gz").write_bytes(b"\x1f\x8b broken")
    assert "case4.nii.gz" in refused([scans], tmp_path / "bank", single_sentence, jobs=jobs)


def test_a_volume_of_another_size_is_named(scans, tmp_path, single_sentence):
    write_nifti(volume(0, (4, 6, 7)), scans / "case3.nii.gz")
    sentence = refused([scans], tmp_path / "bank", single_sentence)
    assert "case3 has 4 x 6 x 7" in sentence
    assert "case0 has 4 x 6 x 5" in sentence


def test_a_volume_of_another_voxel_size_is_named(scans, tmp_path, single_sentence):
    odd = Volume(volume(0).data, default_affine(SHAPE, (0.8, 0.47, 0.47)))
    write_nifti(odd, scans / "case3.nii.gz")
    sentence = refused([scans], tmp_path / "bank", single_sentence)
    assert "case3 is 0.8 x 0.47 x 0.47 mm" in sentence


def test_unscaled_intensities_are_named(scans, tmp_path, single_sentence):
    write_nifti(volume(0, scale=900), scans / "case2.nii.gz")
    sentence = refused([scans], tmp_path / "bank", single_sentence)
    assert "case2" in sentence
    assert "choose a scaling" in sentence


def test_a_constant_volume_cannot_be_scaled(scans, tmp_path, single_sentence):
    write_nifti(Volume(np.full(SHAPE, 7), default_affine(SHAPE)), scans / "case2.nii.gz")
    sentence = refused([scans], tmp_path / "bank", single_sentence, "robust")
    assert sentence.startswith("case2.nii.gz")
    assert "the same value" in sentence


def test_inputs_without_scans_are_refused(scans, tmp_path, single_sentence):
    (tmp_path / "empty").mkdir()
    assert "does not exist" in refused([tmp_path / "no"], tmp_path / "bank", single_sentence)
    assert "no scans" in refused([tmp_path / "empty"], tmp_path / "bank", single_sentence)
    (tmp_path / "a.png").write_text("", encoding="utf-8")
    assert "a.png" in refused([tmp_path / "a.png"], tmp_path / "bank", single_sentence)


@pytest.mark.parametrize(
    ("options", "said"),
    [({"voxel_type": "int8"}, "int8"), ({"jobs": 0}, "At least 1 process")],
)
def test_impossible_options_are_refused(scans, tmp_path, options, said, single_sentence):
    assert said in refused([scans], tmp_path / "bank", single_sentence, **options)


def test_an_unknown_scaling_is_refused(scans, tmp_path, single_sentence):
    assert "zscore" in refused([scans], tmp_path / "bank", single_sentence, "zscore")


def test_an_existing_bank_is_replaced_only_if_allowed(scans, tmp_path, single_sentence):
    target = tmp_path / "bank"
    target.mkdir()
    first = bank_from_nifti([scans], target)  # an empty folder is no obstacle
    assert "exists already" in refused([scans], target, single_sentence)
    assert Bank.open(target).sha256 == first.sha256
    (target / VOXELS_FILE).write_bytes(b"damaged")
    second = bank_from_nifti([scans], target, options=BankOptions(overwrite=True))
    second.verify()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bank", "scans"]


def test_other_folders_are_never_replaced(scans, tmp_path, single_sentence):
    target = tmp_path / "thesis"
    target.mkdir()
    (target / "chapter1.txt").write_text("precious", encoding="utf-8")
    said = refused([scans], target, single_sentence, overwrite=True)
    assert "not part of a bank" in said
    assert "is a file or" in refused(
        [scans], target / "chapter1.txt", single_sentence, overwrite=True
    )


def test_a_failed_replacement_keeps_the_old_bank(scans, tmp_path, single_sentence):
    bank = bank_from_nifti([scans], tmp_path / "bank")
    (scans / "case5.nii.gz").write_bytes(b"damaged")
    refused([scans], tmp_path / "bank", single_sentence, overwrite=True)
    Bank.open(tmp_path / "bank").verify()
    assert Bank.open(tmp_path / "bank").sha256 == bank.sha256


class StopAt:
    def __init__(self, step: int) -> None:
        self.step, self.cancelled, self.done = step, False, 0

    def report(self, done: int, total: int, message: str = "") -> None:
        self.done, self.cancelled = done, done >= self.step


@pytest.mark.parametrize("step", [0, 1, 4, 6])
@pytest.mark.parametrize("jobs", [1, 2])
def test_stopping_leaves_nothing(scans, tmp_path, step, jobs):
    progress = StopAt(step)
    with pytest.raises(Cancelled):
        bank_from_nifti(
            [scans], tmp_path / "bank", options=BankOptions(jobs=jobs), progress=progress
        )
    assert progress.done == step
    assert list(tmp_path.iterdir()) == [scans]
    assert not multiprocessing.active_children()


def test_missing_disk_space_is_reported_beforehand(scans, tmp_path, single_sentence, monkeypatch):
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage._replace(free=10))
    assert "GB are free" in refused([scans], tmp_path / "bank", single_sentence)


PROGRAM = """
import sys, time
from pathlib import Path
from cowgan.bank.from_nifti import bank_from_nifti
from cowgan.bank.writing import BankOptions
from cowgan.errors import CowganError

class Slow:
    cancelled = False
    def report(self, done, total, message=""):
        print(done, flush=True)
        if done == {pause_at}:
            time.sleep(60)

if __name__ == "__main__":
    {before}
    try:
        options = BankOptions(jobs={jobs}, overwrite={overwrite})
        bank_from_nifti([Path(sys.argv[1])], Path(sys.argv[2]), options=options, progress=Slow())
    except CowganError as error:
        sys.exit(error.sentence)
"""


def start(folder: Path, scans: Path, pause_at=-1, jobs=1, overwrite=False, before="pass"):
    script = folder.parent / f"{folder.name}-script.py"
    text = textwrap.dedent(PROGRAM)
    script.write_text(
        text.format(pause_at=pause_at, jobs=jobs, overwrite=overwrite, before=before),
        encoding="utf-8",
    )
    return subprocess.Popen(
        [sys.executable, str(script), str(scans), str(folder / "bank")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def kill_at(process, step: int) -> None:
    """Kill a process without warning once it has reported a step; its children follow."""
    while int(process.stdout.readline()) < step:
        pass
    children = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.communicate()
    _, alive = psutil.wait_procs(children, timeout=20)
    assert not alive


@posix
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_killed_process_leaves_no_bank_and_the_next_clears_up(scans, tmp_path, jobs):
    folder = tmp_path / "out"
    kill_at(start(folder, scans, pause_at=3, jobs=jobs), 3)
    left = list(folder.iterdir())
    assert left
    assert all(path.name.startswith(".part-") for path in left)
    with pytest.raises(CowganError, match="no such folder"):
        Bank.open(folder / "bank")
    bank = bank_from_nifti([scans], folder / "bank")
    bank.verify()
    assert [path.name for path in folder.iterdir()] == ["bank"]


@posix
def test_a_process_killed_while_replacing_keeps_the_old_bank(scans, tmp_path):
    folder = tmp_path / "out"
    before = bank_from_nifti([scans], folder / "bank").sha256
    kill_at(start(folder, scans, pause_at=4, overwrite=True), 4)
    bank = Bank.open(folder / "bank")
    bank.verify()
    assert bank.sha256 == before
    bank_from_nifti([scans], folder / "bank", options=BankOptions(overwrite=True))
    assert [path.name for path in folder.iterdir()] == ["bank"]


@posix
def test_a_process_killed_between_the_two_renames_loses_nothing(scans, tmp_path, single_sentence):
    folder = tmp_path / "out"
    before = bank_from_nifti([scans], folder / "bank").sha256
    die = (
        "import cowgan.folders as f, os, signal; "
        "real = f.Path.rename; "
        "f.Path.rename = lambda path, to: "
        "(real(path, to), os.kill(os.getpid(), signal.SIGKILL))"
    )
    process = start(folder, scans, overwrite=True, before=die)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    assert not (folder / "bank").exists()
    # The next attempt finds the old bank again, and needs leave to replace it.
    with pytest.raises(CowganError, match="exists already"):
        bank_from_nifti([scans], folder / "bank")
    assert Bank.open(folder / "bank").sha256 == before
    assert [path.name for path in folder.iterdir()] == ["bank"]


@posix
def test_the_work_of_a_living_process_is_not_cleared_away(scans, tmp_path, single_sentence):
    folder = tmp_path / "out"
    process = start(folder, scans, pause_at=3)
    while int(process.stdout.readline()) < 3:
        pass
    assert "by another process" in refused([scans], folder / "bank", single_sentence)
    assert (folder / ".part-bank").is_dir()
    process.kill()
    process.communicate()


@posix
def test_a_full_disk_leaves_nothing(scans, tmp_path):
    folder = tmp_path / "out"
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))"
    _, error = start(folder, scans, before=limit).communicate(timeout=60)
    assert "could not be written" in error
    assert "Traceback" not in error
    assert not list(folder.iterdir())


def test_a_killed_worker_is_reported_in_one_sentence(single_sentence):
    with pytest.raises(CowganError) as refusal:
        list(map_in_order(os._exit, [1, 1], 2))
    assert "ended unexpectedly" in single_sentence(refusal)


def test_results_come_in_order_and_work_stops_when_closed(tmp_path):
    assert list(map_in_order(abs, range(-20, 0), 2)) == list(range(20, 0, -1))
    touched = [tmp_path / f"{i:03d}" for i in range(200)]
    results = map_in_order(Path.touch, touched, 2)
    next(results)
    results.close()
    assert len(list(tmp_path.iterdir())) < len(touched) / 2
    assert list(map_in_order(abs, [], 2)) == []
