"""Tests of leakage detection across the split of a bank."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, shift

from cowgan.bank.bank import Bank
from cowgan.bank.from_nifti import bank_from_nifti
from cowgan.bank.leakage import coarse_picture, find_same_scans
from cowgan.bank.split import SplitRule
from cowgan.bank.writing import BankOptions
from cowgan.data.subjects import without_visit
from cowgan.volume import Volume, default_affine, write_nifti

SHAPE = (16, 48, 48)


def vessels_of_subject(seed: int) -> np.ndarray:
    """Return tubes on tissue that all people have in common, from 0 to 1."""
    random = np.random.default_rng(seed)
    tissue = gaussian_filter(np.random.default_rng(99).random(SHAPE), 4) * 6 - 2.6
    points = np.zeros(SHAPE)
    steps = np.cumsum(random.normal(0, 0.7, (6, 80, 3)), axis=1)
    starts = random.uniform(0.2, 0.8, (6, 1, 3)) * SHAPE
    for place in (starts + steps).reshape(-1, 3).round().astype(int):
        points[tuple(np.clip(place, 0, np.array(SHAPE) - 1))] = 1
    arteries = np.clip(gaussian_filter(points, 1) * 6, 0, 1)
    noise = 0.02 * random.standard_normal(SHAPE)
    return np.clip(0.2 * tissue + 0.7 * arteries + noise, 0, 1).astype(np.float32)


def noisy(volume: np.ndarray) -> np.ndarray:
    return volume + 0.06 * np.random.default_rng(5).standard_normal(SHAPE)


COPIES = {
    "saved again": lambda volume: np.round(volume * 200) / 200,
    "scaled": lambda volume: 0.8 * volume + 0.05,
    "other contrast": lambda volume: np.clip(volume, 0, 1) ** 0.8,
    "noisy": noisy,
    "shifted": lambda volume: shift(volume, (1, 4, -5), order=1, mode="nearest"),
    "all": lambda volume: noisy(shift(0.9 * volume, (0.5, 1.5, -2.5), order=1, mode="nearest")),
}


@pytest.mark.parametrize("copy", COPIES)
def test_only_copies_on_the_other_side_are_found(copy):
    people = [vessels_of_subject(seed) for seed in range(14)]
    changed = COPIES[copy](people[3]).astype(np.float32)
    volumes = [*people, changed]
    held_out = [seed in (10, 11, 12, 13) for seed in range(14)] + [True]
    names = [f"p{number}" for number in range(14)] + ["copy"]
    found = find_same_scans(
        [coarse_picture(volume) for volume in volumes], names, held_out, volumes.__getitem__
    )
    assert [(leak.training, leak.holdout) for leak in found] == [("p3", "copy")]


def test_copies_on_one_side_are_no_leak():
    volumes = [vessels_of_subject(0), vessels_of_subject(0), vessels_of_subject(1)]
    coarse = [coarse_picture(volume) for volume in volumes]
    assert not find_same_scans(coarse, "abc", [False, False, True], volumes.__getitem__)


def bank_of(people: dict[str, int], folder, holdout: set[str]) -> Bank:
    for name, seed in people.items():
        volume = Volume(np.clip(vessels_of_subject(seed), 0, 1), default_affine(SHAPE))
        write_nifti(volume, folder / "scans" / f"{name}.nii.gz")
    rows = [f"{name},{name},{'holdout' if name in holdout else 'training'}" for name in people]
    (folder / "split.csv").write_text("\n".join(["case,subject,split", *rows]), encoding="utf-8")
    options = BankOptions(SplitRule(table=folder / "split.csv"))
    return bank_from_nifti([folder / "scans"], folder / "bank", options=options)


def test_the_bank_records_the_warning(tmp_path):
    bank = bank_of({"a": 0, "b": 1, "c": 2, "d": 0}, tmp_path, {"d"})
    (warning,) = bank.warnings
    assert "same scan" in warning
    assert "d and a" in warning
    assert Bank.open(bank.path).warnings == (warning,)


def test_a_sound_bank_has_no_warning(tmp_path):
    assert bank_of({"a": 0, "b": 1, "c": 2, "d": 3}, tmp_path, {"d"}).warnings == ()


def test_names_that_suggest_two_visits_of_one_person_are_warned_of(tmp_path):
    people = {"P01_baseline": 0, "P01_followup": 1, "P02_baseline": 2, "P03": 3}
    bank = bank_of(people, tmp_path, {"P01_followup", "P03"})
    (warning,) = bank.warnings
    assert "P01_followup and P01_baseline" in warning
    assert "split table" in warning


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("P01_baseline", "P01_followup"),
        ("P01_BL_angio", "P01-FU2_angio"),
        ("smith pre", "smith post"),
        ("site_P01_v1", "site_P01_v2"),
        ("P01_20240131", "P01_2025-01-31"),
        ("P01_visit 1", "P01_visit 2"),
    ],
)
def test_visits_of_one_person_are_seen_in_names(one, other):
    assert without_visit(one) == without_visit(other) is not None


@pytest.mark.parametrize("name", ["patient_scan2", "phantom12", "baseline", "IXI002-Guys-0828-MRA"])
def test_other_names_suggest_no_visit(name):
    assert without_visit(name) is None


def test_small_volumes_are_not_judged():
    volumes = [np.random.default_rng(0).random((4, 6, 5), np.float32)] * 2
    coarse = [coarse_picture(volume) for volume in volumes]
    assert not find_same_scans(coarse, "ab", [False, True], volumes.__getitem__)
