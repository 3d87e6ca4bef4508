"""Tests of the command ``cowgan segment score``."""

import csv

import nibabel as nib
import numpy as np
import pytest
from command_line import cowgan

from cowgan.anatomy.label_schemes import TOPCOW_2024
from cowgan.segmentation.metrics import score
from cowgan.simulate import make_anatomy
from cowgan.volume import default_affine, write_labels

AFFINE = default_affine((32, 128, 128))


@pytest.fixture(scope="module")
def truth():
    return make_anatomy(3, "complete").labels


@pytest.fixture(scope="module")
def predicted(truth):
    return np.roll(truth, 1, axis=1)


@pytest.fixture
def folders(tmp_path, truth, predicted):
    for name, labels in (("predicted", predicted), ("truth", truth)):
        (tmp_path / name).mkdir()
        for case in ("case_1", "case_2"):
            write_labels(labels, AFFINE, tmp_path / name / f"{case}.nii.gz")
    return tmp_path


def run(folder, *options, scheme="topcow2024", predicted="predicted", truth="truth"):
    return cowgan(
        *("segment", "score", "--predicted", folder / predicted, "--truth", folder / truth),
        *("--scheme", scheme, "--out", folder / "table.csv", *options),
    )


def refused(result, folder):
    """Return the one sentence of a refusal, after which there is no table."""
    assert result.returncode == 2
    assert not list(folder.glob("table*"))
    (sentence,) = [line for line in result.stderr.splitlines() if line and "Scoring" not in line]
    return sentence


def table(folder, name="table.csv"):
    with (folder / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_a_table_has_a_row_per_artery_and_case(folders, truth, predicted):
    result = run(folders)
    assert result.returncode == 0, result.stderr
    rows = table(folders)
    arteries = ["all", *TOPCOW_2024.labels.values()]
    assert [(row["case"], row["artery"]) for row in rows] == [
        (case, artery) for case in ("case_1", "case_2") for artery in arteries
    ]
    spacing_mm = tuple(np.abs(np.diag(AFFINE)[[2, 0, 1]]).tolist())
    for row, scored in zip(rows, score(predicted, truth, TOPCOW_2024, spacing_mm), strict=False):
        assert row["value"] == ("" if scored.value is None else str(scored.value))
        if scored.dice is None:
            assert (row["dice"], row["hd95_mm"], row["detection"]) == ("", "", "TN")
        else:
            assert float(row["dice"]) == scored.dice
            assert float(row["hd95_mm"]) == pytest.approx(scored.hd95_mm)
            assert int(row["betti0_error"]) == scored.betti0_error
    assert f"Table: {folders / 'table.csv'}" in result.stdout


def test_a_summary_stands_beside_the_table(folders, truth, predicted):
    assert run(folders).returncode == 0
    rows = {(row["artery"], row["metric"]): row for row in table(folders, "table_summary.csv")}
    spacing_mm = tuple(np.abs(np.diag(AFFINE)[[2, 0, 1]]).tolist())
    basilar = score(predicted, truth, TOPCOW_2024, spacing_mm)[1]
    found = rows["BA", "balanced_average_hausdorff_voxels"]
    assert found["n"] == "2"
    assert float(found["mean"]) == pytest.approx(basilar.balanced_average_hausdorff_voxels)
    assert (found["low"], found["missing_in_prediction"], found["missing_in_truth"]) == (
        *("", "0", "0"),
    )
    assert float(rows["R-PCom", "detection_f1"]["mean"]) in (0, 1)
    assert float(rows["anterior", "variant_match"]["mean"]) == 1


def test_maps_of_another_orientation_are_turned(folders, truth):
    file = folders / "truth" / "case_1.nii.gz"
    write_labels(truth, AFFINE, file)
    image = nib.load(file)
    turned = nib.as_closest_canonical(image)
    assert nib.aff2axcodes(turned.affine) != nib.aff2axcodes(image.affine)
    other = nib.Nifti1Image(np.asarray(turned.dataobj).astype(np.uint8), turned.affine)
    nib.save(other, folders / "turned.nii.gz")
    result = run(folders, predicted="turned.nii.gz", truth="truth/case_1.nii.gz")
    assert result.returncode == 0, result.stderr
    assert {row["dice"] for row in table(folders)} == {"1.0", ""}


def test_an_empty_prediction_is_scored(folders, truth):
    write_labels(np.zeros_like(truth), AFFINE, folders / "predicted" / "case_2.nii.gz")
    assert run(folders).returncode == 0
    row = next(row for row in table(folders) if (row["case"], row["artery"]) == ("case_2", "BA"))
    assert (row["dice"], row["hd_mm"]) == ("0.0", "90.0")


def test_an_existing_table_is_replaced_only_if_wanted(folders):
    (folders / "table.csv").write_text("mine", encoding="utf-8")
    result = run(folders)
    assert (result.returncode, "--overwrite" in result.stderr) == (2, True)
    assert (folders / "table.csv").read_text(encoding="utf-8") == "mine"
    assert run(folders, "--overwrite").returncode == 0


def test_unmatched_names_are_named(folders):
    (folders / "predicted" / "case_2.nii.gz").rename(folders / "predicted" / "other.nii.gz")
    assert refused(run(folders), folders) == (
        f"{folders / 'truth'} has no label map for other; predicted and true label maps need the "
        "same names."
    )
    (folders / "predicted" / "other.nii.gz").unlink()
    assert "predicted has no label map for case_2; " in refused(run(folders), folders)


def test_folders_without_images_and_a_folder_beside_a_file_are_refused(folders):
    (folders / "empty").mkdir()
    assert str(folders / "empty") in refused(run(folders, truth="empty"), folders)
    sentence = refused(run(folders, truth="truth/case_1.nii.gz"), folders)
    assert sentence == "Give two folders of label maps, or two label maps."


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("size", "differ in size: 31 x 128 x 128 and 32 x 128 x 128 voxels"),
        ("voxel size", "differ in voxel size: 0.93 x 0.6187 x 0.6187 and 0.62 x "),
        ("place", "lie up to 5 mm apart by their headers; "),
        ("angle", " mm apart by their headers; "),
    ],
)
def test_maps_on_different_grids_are_refused(folders, truth, change, said):
    affine, labels = AFFINE.copy(), truth
    if change == "size":
        labels = truth[1:]
    elif change == "voxel size":
        affine[2, 2] *= 1.5
    elif change == "place":
        affine[2, 3] += 5
    else:
        cosine, sine = np.cos(0.1), np.sin(0.1)
        affine = np.array([[cosine, sine, 0, 0], [-sine, cosine, 0, 0], *np.eye(4)[2:]]) @ affine
    write_labels(labels, affine, folders / "predicted" / "case_2.nii.gz")
    sentence = refused(run(folders), folders)
    assert sentence.startswith("The prediction and the truth of case_2 ")
    assert said in sentence


def test_labels_of_another_scheme_are_refused(folders, truth):
    write_labels(np.where(truth == 10, 13, truth), AFFINE, folders / "truth" / "case_1.nii.gz")
    sentence = refused(run(folders), folders)
    assert sentence.startswith("case_1.nii.gz: The label 13 is not one of TopCoW 2024, ")
    assert sentence.endswith("; in TopCoW 2023 it is 3rd-A2.")
    assert "There is no label scheme 'topcow'" in refused(run(folders, scheme="topcow"), folders)


@pytest.mark.parametrize("data_type", [np.uint8, np.float32])
def test_images_are_no_label_maps(folders, data_type):
    voxels = (np.random.default_rng(0).random((128, 128, 32)) * 100).astype(data_type)
    nib.save(nib.Nifti1Image(voxels, AFFINE), folders / "truth" / "case_1.nii.gz")
    assert refused(run(folders), folders) == "case_1.nii.gz is an image and no label map."
