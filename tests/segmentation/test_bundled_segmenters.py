"""Tests of the networks of the package, on what they never saw."""

from statistics import mean

import pytest
from command_line import cowgan

from cowgan.anatomy.label_schemes import TOPCOW_2024
from cowgan.bank.anatomies import read_anatomies
from cowgan.bank.from_simulation import SimulationOptions, simulate_bank
from cowgan.segmentation.bundled_segmenters import BUNDLED_SEGMENTERS, find_segmenter
from cowgan.segmentation.labelled_cases import LabelledCase, LabelledCases, of_bank
from cowgan.segmentation.metrics import mean_over_arteries
from cowgan.segmentation.segmenter import Segmenter
from cowgan.segmentation.segmenter_files import load_segmenter
from cowgan.segmentation.validation import score_cases
from cowgan.simulate import make_phantom
from cowgan.volume import read_labels, write_nifti

HELD_OUT = ("IXI016-Guys-0697-MRA", "IXI061-Guys-0715-MRA")


def mean_dice(network: str, cases: LabelledCases) -> float:
    segmenter = Segmenter([load_segmenter(BUNDLED_SEGMENTERS[network])], "cpu")
    scored = score_cases(segmenter, cases)
    return mean(mean_over_arteries(one.rows, "dice") for one in scored.values())


@pytest.mark.parametrize("name", BUNDLED_SEGMENTERS)
def test_a_network_fits_in_the_package_and_says_what_it_never_saw(name) -> None:
    file = BUNDLED_SEGMENTERS[name]
    assert file.stat().st_size <= 8e6
    assert "has never seen" in load_segmenter(file).card.description


def test_arteries_of_phantoms_are_found() -> None:
    phantoms = [make_phantom(seed) for seed in (9_001, 9_002)]
    cases = [
        LabelledCase(f"phantom_{i}", f"phantom_{i}", volume.data.astype("float16"), labels)
        for i, (volume, labels, _) in enumerate(phantoms)
    ]
    spacing_mm = phantoms[0][0].spacing_mm
    assert mean_dice("topcow2024", LabelledCases(cases, TOPCOW_2024, spacing_mm)) > 0.75


def test_territories_of_held_out_people_are_found(shared_dir, tmp_path) -> None:
    every = read_anatomies([shared_dir / "data" / "ixi_cow_anatomies.npz"])
    held_out = [one for one in every if one.name in HELD_OUT]
    assert len(held_out) == 2
    bank = simulate_bank(held_out, tmp_path / "bank", SimulationOptions(1))
    assert mean_dice("territories", of_bank(bank)) > 0.85


def test_a_network_of_the_package_is_used_by_its_name(tmp_path) -> None:
    volume, _, _ = make_phantom(9_001)
    write_nifti(volume, tmp_path / "phantom.nii.gz")
    done = cowgan(
        *("segment", "predict", tmp_path / "phantom.nii.gz", "--model", "topcow2024"),
        *("--out", tmp_path / "labels", "--device", "cpu"),
    )
    assert done.returncode == 0, done.stderr
    labels, _ = read_labels(tmp_path / "labels" / "phantom_dseg.nii.gz")
    assert {1, 2, 3, 4, 5, 6, 7} <= set(labels.ravel())


def test_a_folder_of_that_name_goes_before(tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_segmenter("territories") == BUNDLED_SEGMENTERS["territories"]
    (tmp_path / "territories").mkdir()
    assert (
        find_segmenter("territories").parent.resolve() != BUNDLED_SEGMENTERS["territories"].parent
    )
