"""Tests of preprocessing: geometry, resuming, rejected scans, and untouched inputs."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from dicom_series import write_series

from cowgan.data.case_records import read_manifest, read_set_aside
from cowgan.data.preprocess import PreprocessConfig, preprocess
from cowgan.data.roi import ROI_SHAPE
from cowgan.errors import Cancelled, CowganError
from cowgan.volume import Volume, default_affine, read_volume, sidecar_path, write_nifti
from cowgan.volume.itk import to_itk

pytestmark = pytest.mark.usefixtures("few_samples")

MARK_MM = np.array([-18.0, -14.0, 3.0])  # left, posterior and superior of the circle
VALUE = 9_000.0


@pytest.fixture(scope="session")
def marked(head) -> Volume:
    """Return the head with a bright ball at the patient's left."""
    index = np.indices(head.shape).reshape(3, -1)[[1, 2, 0]]
    places = head.affine[:3, :3] @ index + head.affine[:3, 3:]
    near = (np.linalg.norm(places - MARK_MM[:, None], axis=0) < 3.0).reshape(head.shape)
    return Volume(np.where(near, VALUE, head.data), head.affine)


def mark_in(path: Path) -> np.ndarray:
    """Return where the marker is in an output, in RAS mm, read without our own code."""
    image = nib.load(path)
    data = image.get_fdata()
    return nib.affines.apply_affine(image.affine, np.argwhere(data > 0.97).mean(axis=0))


def auto(**settings) -> PreprocessConfig:
    return PreprocessConfig(**{"roi": "auto", "jobs": 1, **settings})


@pytest.fixture
def scans(head, tmp_path) -> Path:
    """Return a folder of three small scans."""
    folder = tmp_path / "scans"
    for name, factor in (("a", 1.0), ("b", 2.0), ("c", 3.0)):
        write_nifti(Volume(head.data * factor, head.affine), folder / f"{name}.nii.gz")
    return folder


def write_reoriented(volume: Volume, path: Path, codes: str) -> None:
    image = nib.Nifti1Image(volume.data.transpose(1, 2, 0), volume.affine)
    nib.save(
        image.as_reoriented(
            nib.orientations.ornt_transform(
                nib.io_orientation(volume.affine), nib.orientations.axcodes2ornt(codes)
            )
        ),
        path,
    )


def test_a_mark_on_the_left_stays_there_for_every_stored_orientation(
    marked, move, rigid, template_file, tmp_path
):
    """Flipped, oblique, integer, moved, MetaImage: all end in the template's space."""
    scans = tmp_path / "scans"
    scans.mkdir()
    moved, pose = move(marked, rigid((9, -7, 8), (8, -9, 6)))
    write_reoriented(moved, scans / "flipped.nii.gz", "RPI")
    write_reoriented(moved, scans / "sagittal.nii.gz", "ASL")
    oblique = Volume(marked.data, rigid((0, 12, -10), (30, 4, -50)) @ marked.affine)
    write_nifti(oblique, scans / "oblique.nii.gz")
    sitk.WriteImage(to_itk(moved.data.astype(np.int16), moved.affine), str(scans / "meta.mha"))
    data = moved.data.copy()
    data[5, 20:40, 20:40] = np.nan
    nib.save(nib.Nifti1Image(data.transpose(1, 2, 0), moved.affine), scans / "nan.nii.gz")

    out = tmp_path / "out"
    summary = preprocess([scans], out, PreprocessConfig(template_file, jobs=1))
    assert summary.count("done") == 5, [record.reason for record in summary.records]
    for record in summary.records:
        volume = read_volume(out / record.output)
        assert volume.shape == (32, 128, 128)
        np.testing.assert_allclose(volume.spacing_mm, (0.62, 0.61875, 0.61875), atol=1e-5)
        assert volume.data.min() == 0
        assert volume.data.max() == 1
        np.testing.assert_allclose(mark_in(out / record.output), MARK_MM, atol=1.0)
        # The recorded transform says the same about where the mark came from.
        came_from = np.linalg.inv(record.to_template) @ [*MARK_MM, 1]
        there = (
            oblique.affine @ np.linalg.inv(marked.affine) if record.name == "oblique" else pose
        ) @ [*MARK_MM, 1]
        assert np.linalg.norm(came_from - there) < 1.0
    by_name = {record.name: record for record in summary.records}
    assert by_name["nan"].source["nonfinite_replaced"] == 400
    assert by_name["flipped"].source["orientation"] == "RPI"


def test_without_a_template_scans_keep_their_own_axes(marked, rigid, tmp_path):
    oblique = Volume(marked.data, rigid((10, 0, 5), (3, 40, -20)) @ marked.affine)
    write_nifti(oblique, tmp_path / "scans" / "a.nii.gz")
    summary = preprocess([tmp_path / "scans"], tmp_path / "out", auto())
    (record,) = summary.records
    output = tmp_path / "out" / record.output
    expected = oblique.affine @ np.linalg.inv(marked.affine) @ [*MARK_MM, 1]
    np.testing.assert_allclose(mark_in(output), expected[:3], atol=0.7)
    axes = read_volume(output).affine[:3, :3] / [0.61875, 0.61875, 0.62]
    np.testing.assert_allclose(axes, oblique.affine[:3, :3] / 1.86, atol=1e-5)
    assert record.score is None


def test_voxels_outside_the_scan_are_background(head, template_file, tmp_path):
    low = head.affine.copy()
    cut = 19  # the scan begins above the lower edge of the region
    low[:3, 3] += head.affine[:3, 2] * cut
    write_nifti(Volume(head.data[cut:], low), tmp_path / "scans" / "cut.nii.gz")
    config = PreprocessConfig(template_file, jobs=1)
    summary = preprocess([tmp_path / "scans"], tmp_path / "out", config)
    (record,) = summary.records
    if record.status == "rejected":
        assert "%" in record.reason
        assert not (tmp_path / "out" / "cut.nii.gz").exists()
    else:
        data = read_volume(tmp_path / "out" / record.output).data
        assert not data[0].any()
        assert record.coverage < 1


def test_bad_scans_are_listed_and_do_not_stop_the_rest(scans, tmp_path, tree_hash):
    (scans / "damaged.nii.gz").write_bytes((scans / "a.nii.gz").read_bytes()[:5000])
    nib.save(nib.Nifti1Image(np.full((9, 9, 9), 5.0), np.eye(4)), scans / "constant.nii")
    series = np.random.default_rng(0).random((8, 8, 8, 2))
    nib.save(nib.Nifti1Image(series, np.eye(4)), scans / "series.nii")
    before = tree_hash(scans)
    summary = preprocess([scans], tmp_path / "out", auto(jobs=2))
    assert tree_hash(scans) == before, "the input folder was changed"
    status = {record.name: record.status for record in summary.records}
    assert status == {
        "a": "done",
        "b": "done",
        "c": "done",
        "constant": "failed",
        "damaged": "failed",
        "series": "failed",
    }
    listed = (tmp_path / "out" / "failed.csv").read_text(encoding="utf-8")
    assert {"constant", "damaged", "series"} <= {line.split(",")[0] for line in listed.splitlines()}
    html = summary.quality_page.read_text(encoding="utf-8")
    assert "3 done, 3 failed" in html
    assert (tmp_path / "out" / "quality.png").exists()


def test_a_scan_that_does_not_fit_the_template_is_set_aside(head, template_file, tmp_path):
    noise = np.random.default_rng(0).normal(100, 20, (20, 50, 50))
    scan = Volume(noise, default_affine(noise.shape, (4, 4, 4)))
    write_nifti(scan, tmp_path / "scans" / "noise.nii.gz")
    config = PreprocessConfig(template_file, jobs=1)
    summary = preprocess([tmp_path / "scans"], tmp_path / "out", config)
    (record,) = summary.records
    assert record.status == "rejected"
    assert "scores" in record.reason
    assert not list((tmp_path / "out").glob("*.nii.gz"))
    again = preprocess([tmp_path / "scans"], tmp_path / "out", config)
    assert again.kept == 1, "the same scan would be rejected again"


def test_equal_file_names_do_not_overwrite_each_other(head, tmp_path):
    for folder, factor in (("x", 1), ("y", 2)):
        write_nifti(Volume(head.data * factor, head.affine), tmp_path / folder / "tof.nii.gz")
    summary = preprocess([tmp_path / "x", tmp_path / "y"], tmp_path / "out", auto())
    outputs = {record.output for record in summary.records}
    assert len(outputs) == 2
    assert all((tmp_path / "out" / name).exists() for name in outputs)


def times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.nii.gz")}


def test_a_second_run_does_only_what_is_new_changed_or_damaged(scans, tmp_path, head):
    out = tmp_path / "out"
    preprocess([scans], out, auto())
    first = times(out)
    assert preprocess([scans], out, auto()).kept == 3
    assert times(out) == first

    (out / "a.nii.gz").write_bytes(b"damaged")
    sidecar_path(out / "c.nii.gz").unlink()
    write_nifti(Volume(head.data + 50, head.affine), scans / "d.nii.gz")
    summary = preprocess([scans], out, auto())
    assert summary.kept == 1
    assert summary.count("done") == 4
    assert times(out)["b.nii.gz"] == first["b.nii.gz"]
    assert read_volume(out / "a.nii.gz").shape == (32, 128, 128)

    assert preprocess([scans], out, auto(intensity="minmax")).kept == 0
    assert preprocess([scans], out, auto(intensity="minmax", overwrite=True)).kept == 0


def test_an_output_that_is_no_longer_accepted_is_removed(scans, tmp_path):
    out = tmp_path / "out"
    preprocess([scans], out, auto())
    (scans / "b.nii.gz").write_bytes(b"now damaged")
    summary = preprocess([scans], out, auto())
    assert summary.count("failed") == 1
    assert not (out / "b.nii.gz").exists()
    assert not (out / "b.json").exists()
    assert (out / "a.nii.gz").exists()


def test_outputs_record_their_origin(scans, tmp_path):
    out = tmp_path / "out"
    summary = preprocess([scans], out, auto())
    record = read_manifest(out)["a"]
    assert record == summary.records[0]
    assert record.input == str(scans / "a.nii.gz")
    stored = json.loads((out / "a.json").read_text(encoding="utf-8"))
    step = stored["provenance"]["preprocessing"]
    assert step["input"] == "a.nii.gz", "no path of the person's computer travels with a volume"
    assert step["input_sha256"] == record.input_sha256
    assert stored["image_sha256"] == record.output_sha256
    assert step["software"]["cowgan"]
    assert not stored["synthetic"]


def test_foreign_files_are_not_replaced(scans, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.nii.gz").write_bytes(b"precious")
    summary = preprocess([scans], out, auto())
    assert (out / "a.nii.gz").read_bytes() == b"precious"
    assert {record.name: record.status for record in summary.records}["a"] == "failed"


@pytest.mark.parametrize("place", ["scans", "scans/out", "."])
def test_the_output_must_lie_apart_from_the_input(
    scans, tmp_path, place, tree_hash, single_sentence
):
    before = tree_hash(scans)
    with pytest.raises(CowganError) as refusal:
        preprocess([scans], tmp_path / place, auto())
    assert "apart" in single_sentence(refusal)
    assert tree_hash(scans) == before


def test_the_folder_of_a_single_scan_is_an_input_folder_too(scans, single_sentence):
    with pytest.raises(CowganError) as refusal:
        preprocess([scans / "a.nii.gz"], scans, auto())
    single_sentence(refusal)


@pytest.mark.parametrize(
    "settings",
    [
        {"roi": "template"},
        {"roi": "paper"},
        {"intensity": "zscore"},
        {"jobs": 0},
        {"template": Path("missing.nii.gz"), "roi": "template"},
    ],
    ids=str,
)
def test_settings_that_make_no_sense_are_refused(scans, tmp_path, settings, single_sentence):
    with pytest.raises(CowganError) as refusal:
        preprocess([scans], tmp_path / "out", auto(**settings))
    single_sentence(refusal)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "settings",
    [{"roi": "nowhere"}, {"roi": "paper"}, {"roi": (900.0, 0.0, 0.0)}, {"skull_strip": "hd-bet"}],
    ids=str,
)
def test_settings_that_do_not_fit_the_template_are_refused(
    scans, template_file, tmp_path, settings, single_sentence
):
    with pytest.raises(CowganError) as refusal:
        preprocess([scans], tmp_path / "out", PreprocessConfig(template_file, jobs=1, **settings))
    single_sentence(refusal)


def test_a_template_without_a_region_asks_for_one(scans, head, tmp_path, single_sentence):
    write_nifti(head, tmp_path / "plain.nii.gz")
    with pytest.raises(CowganError) as refusal:
        preprocess([scans], tmp_path / "out", PreprocessConfig(tmp_path / "plain.nii.gz"))
    assert "region of interest" in single_sentence(refusal)


class _StopAfter:
    def __init__(self, count: int) -> None:
        self.count = count
        self.done: list[int] = []

    @property
    def cancelled(self) -> bool:
        return bool(self.done) and self.done[-1] >= self.count

    def report(self, done: int, total: int, message: str = "") -> None:
        self.done.append(done)


def test_cancelling_keeps_what_is_done_and_a_later_run_goes_on(scans, tmp_path):
    out = tmp_path / "out"
    progress = _StopAfter(1)
    with pytest.raises(Cancelled):
        preprocess([scans], out, auto(), progress)
    assert progress.done == [0, 1]
    assert list(read_manifest(out)) == ["a"]
    assert (out / "quality.html").exists()
    assert preprocess([scans], out, auto()).kept == 1


@pytest.mark.skipif(sys.platform == "win32", reason="sends POSIX signals")
def test_a_killed_run_can_be_repeated(scans, tmp_path):
    for number in range(6):
        shutil.copy(scans / "a.nii.gz", scans / f"more-{number}.nii.gz")
    out = tmp_path / "out"
    code = (
        "from pathlib import Path\nfrom cowgan.data import preprocess as p\n"
        "if __name__ == '__main__':\n"
        f"    p.preprocess([Path({str(scans)!r})], Path({str(out)!r}),"
        " p.PreprocessConfig(roi='auto', jobs=2))\n"
    )
    script = tmp_path / "run.py"
    script.write_text(code, encoding="utf-8")
    process = subprocess.Popen([sys.executable, script])
    end = time.monotonic() + 120
    while len(list(out.glob("[!.]*.nii.gz"))) < 2:
        assert process.poll() is None, "it ended too soon to be killed"
        assert time.monotonic() < end
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = {path for path in out.glob("[!.]*.nii.gz") if sidecar_path(path).exists()}
    for path in done:
        assert read_volume(path).shape == (32, 128, 128), "no output is ever half there"
    summary = preprocess([scans], out, auto())
    assert summary.count("done") == 9
    assert summary.kept >= 2
    assert not list(out.rglob(".part-*"))


def test_an_existing_region_of_interest_is_copied(template_file, rigid, tmp_path):
    """It is too small to be registered, and needs no cutting."""
    data = np.random.default_rng(0).random((32, 128, 128), np.float32)
    oblique = rigid((10, 0, 5), (3, 40, -20)) @ default_affine(data.shape)
    scans = tmp_path / "scans"
    write_nifti(Volume(data, oblique), scans / "scaled.nii.gz")
    write_nifti(Volume(1000 * data, oblique), scans / "raw.nii.gz")
    for number, config in enumerate((auto(), PreprocessConfig(template_file, jobs=1))):
        out = tmp_path / f"out{number}"
        summary = preprocess([scans], out, config)
        assert summary.count("done") == 2, [record.reason for record in summary.records]
        for record in summary.records:
            assert "already is a region of interest" in record.remarks[-1]
            made = read_volume(out / record.output)
            np.testing.assert_allclose(made.affine, oblique, atol=1e-4)
            np.testing.assert_allclose(made.data, data, atol=0.01)
        exact = read_volume(out / "scaled.nii.gz")
        np.testing.assert_array_equal(exact.data, data)
    manifest = (tmp_path / "out0" / "manifest.csv").read_text(encoding="utf-8")
    assert "already is a region of interest" in manifest


def test_the_manifest_names_excluded_files(scans, tmp_path):
    mask = np.zeros((8, 9, 10), np.uint8)
    mask[2:5] = 1
    nib.save(nib.Nifti1Image(mask, np.diag([20, 20, 20, 1])), scans / "a_mask.nii.gz")
    nib.save(nib.Nifti1Image(mask, np.diag([20, 20, 20, 1])), scans / "d.nii.gz")
    (scans / "b_angio.nii.gz").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    out = tmp_path / "out"
    summary = preprocess([scans], out, auto())
    excluded = {one.place: one.reason for one in summary.set_aside}
    assert set(excluded) == {"a_mask.nii.gz", "b_angio.nii.gz"}
    assert read_set_aside(out) == summary.set_aside
    listed = (out / "failed.csv").read_text(encoding="utf-8")
    assert "pointer of Git LFS" in listed
    assert "It is a mask" in listed
    (failed,) = (record for record in summary.records if record.status == "failed")
    assert "d.nii.gz is a mask" in failed.reason


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_results_reached_through_a_link_are_not_scans(scans, tmp_path):
    out = tmp_path / "out"
    preprocess([scans], out, auto())
    (scans / "results").symlink_to(out)
    again = preprocess([scans], out, auto())
    assert len(again.records) == again.kept == 3
    assert {one.reason for one in again.set_aside} == {"It lies in the folder of the results."}


def test_an_image_of_another_contrast_is_taken_only_if_it_is_named(head, template_file, tmp_path):
    """Mutual information registers it as well as TOF MRA."""
    file = tmp_path / "scans" / "inverted.nii.gz"
    write_nifti(Volume(head.data.max() - head.data, head.affine), file)
    config = PreprocessConfig(template_file, jobs=1)
    (record,) = preprocess([file.parent], tmp_path / "out", config).records
    assert record.status == "rejected"
    assert "No bright arteries" in record.reason
    assert record.score > config.pass_score
    (record,) = preprocess([file], tmp_path / "out", config).records
    assert record.status == "done"


def test_a_dicom_series_is_preprocessed_like_any_other_scan(tmp_path):
    data = np.random.RandomState(0).gamma(2, 50, ROI_SHAPE)
    files = write_series(tmp_path / "in" / "tof", data, default_affine(ROI_SHAPE))
    config = PreprocessConfig(roi="auto", jobs=1)
    summary = preprocess([tmp_path / "in"], tmp_path / "out", config)
    (record,) = summary.records
    assert (record.name, record.status) == ("tof", "done")
    assert record.input == str(tmp_path / "in" / "tof")
    assert record.remarks[0] == "It was read from 32 DICOM files (series 5 “TOF 5”)."
    assert preprocess([tmp_path / "in"], tmp_path / "out", config).kept == 1
    files[0].unlink()
    assert preprocess([tmp_path / "in"], tmp_path / "out", config).kept == 0
