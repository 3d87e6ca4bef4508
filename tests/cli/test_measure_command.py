"""Tests of the command ``cowgan measure``."""

import csv
import json

import analytic_shapes as shapes
import nibabel as nib
import numpy as np
import pytest
from typer.testing import CliRunner

from cowgan.anatomy.arteries import Artery
from cowgan.cli.measure import measure
from cowgan.errors import CowganError
from cowgan.volume import Volume, default_affine, read_labels, write_labels, write_nifti


def run(*arguments: object):
    import typer

    app = typer.Typer()
    app.command()(measure)
    return CliRunner().invoke(app, [str(a) for a in arguments])


def sentences(result) -> list[str]:
    return [line for line in result.stderr.splitlines() if line and "Measuring" not in line]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("measure")
    ring = np.pad(shapes.tube(shapes.circle(8), 1.5, seed=1).mask, 6)
    image = 100 + 600 * ring + np.random.default_rng(0).normal(0, 9, ring.shape)
    affine = default_affine(ring.shape)
    write_nifti(Volume(image, affine), path / "tof.nii.gz")
    write_nifti(Volume(np.ones((4, 5, 6)), default_affine((4, 5, 6))), path / "flat.nii.gz")
    labels = np.where(ring, Artery.BA, 0).astype(np.uint8)
    labels[:, :, labels.shape[2] // 2 :] *= np.uint8(Artery.ACOM)
    write_labels(labels, affine, path / "labels.nii.gz")
    (path / "broken.nii.gz").write_bytes(b"nothing")
    return path


def test_a_volume_is_measured_as_json(folder):
    result = run(folder / "tof.nii.gz", "--json")
    assert result.exit_code == 0
    (one,) = json.loads(result.stdout)
    assert one["file"] == str(folder / "tof.nii.gz")
    assert (one["components"], one["loops"]) == (1, 1)
    assert one["length_mm"] == pytest.approx(2 * np.pi * 8, rel=0.02)
    assert one["radius"]["mean_mm"] == pytest.approx(1.5, abs=0.1)
    assert one["method"] == "hysteresis"


def test_the_method_reaches_the_mask(folder):
    (one,) = json.loads(run(folder / "tof.nii.gz", "--method", "sato", "--json").stdout)
    assert one["method"] == "sato"


def test_a_label_map_is_measured_by_artery(folder):
    (one,) = json.loads(run(folder / "labels.nii.gz", "--labels", "--json").stdout)
    assert set(one["arteries"]) == {"BA", "ACom"}
    volumes = [artery["volume_mm3"] for artery in one["arteries"].values()]
    assert sum(volumes) == pytest.approx(one["volume_mm3"])
    assert one["loops"] == 1


def test_a_label_map_is_printed_as_a_table(folder):
    result = run(folder / "labels.nii.gz", "--labels")
    header, *rows = result.stdout.splitlines()
    assert header.split()[:2] == ["File", "Vessels"]
    assert [row.split()[1] for row in rows] == ["BA", "ACom", "all"]
    assert len({len(row) for row in (header, *rows)}) == 1


def test_a_bad_file_is_named_and_the_rest_is_measured(folder):
    files = [folder / name for name in ("broken.nii.gz", "flat.nii.gz", "none.nii", "tof.nii.gz")]
    result = run(*files, "--json")
    assert result.exit_code == 2
    content = json.loads(result.stdout)
    assert [("error" in one) for one in content] == [True, True, True, False]
    assert len(sentences(result)) == 3
    for sentence, file in zip(sentences(result), files, strict=False):
        assert file.name in sentence
        assert sentence.endswith(".")
    assert "same intensity" in sentences(result)[1]


def test_only_bad_files_print_no_table(folder):
    result = run(folder / "broken.nii.gz")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert len(sentences(result)) == 1


def test_a_spreadsheet_has_one_row_per_vessel(folder, tmp_path):
    target = tmp_path / "out.csv"
    assert run(folder / "labels.nii.gz", "--labels", "--csv", target).exit_code == 0
    with target.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["vessels"] for row in rows] == ["BA", "ACom", "all"]
    assert float(rows[2]["radius_p50_mm"]) == pytest.approx(1.5, abs=0.1)
    before = target.read_bytes()
    with pytest.raises(CowganError, match="exists already"):
        raise run(folder / "tof.nii.gz", "--csv", target).exception
    assert target.read_bytes() == before
    assert run(folder / "tof.nii.gz", "--csv", target, "--overwrite").exit_code == 0
    with target.open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert float(row["thresholds_high"]) > float(row["thresholds_low"])


def test_options_that_contradict_each_other_are_refused(folder):
    with pytest.raises(CowganError, match="--labels needs none"):
        raise run(folder / "labels.nii.gz", "--labels", "--method", "sato").exception


def test_a_volume_is_no_label_map(folder):
    result = run(folder / "tof.nii.gz", "--labels")
    assert result.exit_code == 2
    assert "tof.nii.gz is not a label map" in result.stderr


def test_names_of_files_neither_steer_the_terminal_nor_compute(folder, tmp_path):
    name = "=1+1\x1b[2J\nsub-02.nii.gz  all  9.nii.gz"
    (tmp_path / name).write_bytes((folder / "flat.nii.gz").read_bytes())
    (tmp_path / f"broken {name}").write_bytes(b"")
    table = tmp_path / "t.csv"
    result = run(tmp_path / name, tmp_path / f"broken {name}", "--csv", table)
    lines = (result.stdout + result.stderr).splitlines()
    assert "\x1b[2J" not in result.stdout + result.stderr
    assert not [line for line in lines if line.startswith("sub-02")]
    assert not any(
        cell.startswith("=") for row in csv.reader(table.open(encoding="utf-8")) for cell in row
    )


def test_a_damaged_sidecar_is_reported_and_the_image_measured(folder, tmp_path):
    image = tmp_path / "tof.nii.gz"
    image.write_bytes((folder / "tof.nii.gz").read_bytes())
    content = {"written_by": "napari-cowgan", "provenance": {"sources": 5}}
    (tmp_path / "tof.json").write_text(json.dumps(content), encoding="utf-8")
    result = run(image)
    assert result.exit_code == 2
    assert "tof.nii.gz" in result.stdout
    (message,) = sentences(result)
    assert "tof.json" in message and "history is lost" in message


def test_masks_and_label_maps_are_measured_as_such(folder, tmp_path):
    values, affine = read_labels(folder / "labels.nii.gz")
    write_labels((values > 0).astype(np.uint8), affine, tmp_path / "mask.nii.gz")
    (tmp_path / "mask.json").unlink()
    for arguments in ((), ("--labels",)):
        result = run(tmp_path / "mask.nii.gz", "--json", *arguments)
        assert result.exit_code == 0
        (one,) = json.loads(result.stdout)
        assert one["content"] == "mask"
        assert "arteries" not in one
        assert one["voxels"] == np.count_nonzero(values)
        assert "measured as a mask" in one["remarks"][-1]
        assert "measured as a mask" in result.stderr
    result = run(folder / "labels.nii.gz", "--json")
    (one,) = json.loads(result.stdout)
    assert set(one["arteries"]) == {"BA", "ACom"}
    assert "measured by artery" in result.stderr


def test_an_impossible_size_is_an_error_with_a_remedy(tmp_path):
    tof = np.random.default_rng(0).random((32, 40, 36))
    image = nib.Nifti1Image(tof, np.diag([-1.0, 1, 1, 1]))
    image.header.set_xyzt_units("meter")
    nib.save(image, tmp_path / "tof.nii.gz")
    refused = run(tmp_path / "tof.nii.gz")
    assert refused.exit_code == 2
    assert "open it with --units mm" in refused.stderr
    assert run(tmp_path / "tof.nii.gz", "--units", "mm").exit_code == 0
