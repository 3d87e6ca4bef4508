"""Reading and building training banks, and what storing them in few bits costs."""

from pathlib import Path

import numpy as np
import pytest

from cowgan.bank.bank import Bank
from cowgan.bank.encoding import decode, encode
from cowgan.bank.from_nifti import bank_from_nifti
from cowgan.bank.from_simulation import PhantomArteries, SimulationOptions, simulate_bank
from cowgan.bank.writing import BankOptions, write_bank
from cowgan.simulate import make_anatomy, simulate_tof
from cowgan.simulate.deformation import DeformationLimits
from cowgan.volume import DEFAULT_SPACING_MM, Volume, default_affine, write_nifti

SHAPE = (32, 128, 128)
VOXEL_TYPES = ("uint8", "uint16", "float16")
BATCH = 8


class Fixed:
    """A recipe that costs nothing."""

    def __init__(self, copy: int) -> None:
        self.name, self.copy = "fixed", copy

    def make(self) -> Volume:
        data = np.random.default_rng(self.copy).random(SHAPE, np.float32)
        return Volume(data, default_affine(SHAPE))


@pytest.fixture(scope="module")
def banks(tmp_path_factory) -> dict[str, Bank]:
    folder = tmp_path_factory.mktemp("banks")
    recipes = [Fixed(copy) for copy in range(200)]
    return {
        voxel_type: write_bank(folder / voxel_type, recipes, BankOptions(voxel_type=voxel_type))
        for voxel_type in VOXEL_TYPES
    }


def test_reading_a_batch(compare, banks: dict[str, Bank]):
    """The limit is filling the batch's memory from another array of the same size."""
    random = np.random.default_rng(0)
    out = np.zeros((BATCH, 1, *SHAPE), np.float32)
    same = np.ones_like(out)

    def batch() -> np.ndarray:
        return random.integers(0, 200, BATCH)

    for bank in banks.values():
        bank.read(range(200))  # from here on the volumes are in memory
    actions = {"copying a batch of float32": lambda: np.copyto(out, same)}
    for name, bank in banks.items():
        actions[f"{name}, into a new array"] = lambda bank=bank: bank.read(batch())
        actions[f"{name}, into an old array"] = lambda bank=bank: bank.read(batch(), out)
    topic = "Random batch of 8 volumes of 32 x 128 x 128"
    compare(topic, actions, limit="copying a batch of float32", repetitions=40)


def test_opening_and_verifying(compare, banks: dict[str, Bank], tmp_path: Path):
    many = write_bank(tmp_path / "many", [Tiny(copy) for copy in range(5000)])
    compare(
        "Opening and verifying a bank",
        {
            "open, 200 volumes": lambda: Bank.open(banks["uint8"].path),
            "open, 5000 volumes": lambda: Bank.open(many.path),
            "verify, 200 volumes, 105 MB": banks["uint8"].verify,
        },
        repetitions=5,
    )


class Tiny(Fixed):
    """A small volume with the history of a simulated one."""

    def make(self) -> Volume:
        history = simulate_tof(np.ones((4, 4, 4)), DEFAULT_SPACING_MM, seed=self.copy).provenance
        return Volume(np.zeros((4, 4, 4), np.float32), default_affine((4, 4, 4)), history)


def test_building(compare, tmp_path: Path):
    for i in range(8):
        write_nifti(Fixed(i).make(), tmp_path / "scans" / f"{i}.nii.gz")
    phantoms = [PhantomArteries(seed) for seed in range(2)]
    varied = SimulationOptions(2, DeformationLimits())

    def from_nifti(jobs: int):
        options = BankOptions(jobs=jobs, overwrite=True)
        return lambda: bank_from_nifti([tmp_path / "scans"], tmp_path / "a", options=options)

    def simulated(jobs: int):
        options = BankOptions(jobs=jobs, overwrite=True)
        return lambda: simulate_bank(phantoms, tmp_path / "b", varied, options)

    actions = {
        **{f"8 NIfTI files, {jobs} processes": from_nifti(jobs) for jobs in (1, 2)},
        **{f"4 varied phantoms, {jobs} processes": simulated(jobs) for jobs in (1, 2)},
        "4 simulations alone": lambda: [
            simulate_tof(make_anatomy(i % 2).occupancy, seed=i) for i in range(4)
        ],
    }
    compare("Building a bank", actions, repetitions=2)


def test_rounding_against_noise(benchmark, report, tmp_path: Path):
    """The choice of 8 bits: what rounding adds to the noise of simulated scans."""
    phantoms = [PhantomArteries(seed) for seed in range(6)]
    exact = benchmark.pedantic(
        lambda: simulate_bank(
            phantoms, tmp_path / "bank", options=BankOptions(voxel_type="uint16")
        ).read(range(6))[:, 0],
        rounds=1,
    )
    noise = [tissue_noise(volume) for volume in exact]
    topic = "Storing simulated scans, thousandths of the full scale"
    report(topic, "noise in tissue", [1e3 * sd for sd in noise], "sd")
    report(topic, "noise on the real crop of the paper's notes", [1e3 * 9 / (862 - 24)], "sd")
    for voxel_type in VOXEL_TYPES:
        stored = np.empty_like(exact)
        decode(encode(exact, voxel_type), stored)
        rounding = [float((a - b).std()) for a, b in zip(stored, exact, strict=True)]
        share = np.mean([(r / n) ** 2 for r, n in zip(rounding, noise, strict=True)])
        note = f"adds {share:.2%} to the noise variance"
        report(topic, f"rounding to {voxel_type}", [1e3 * r for r in rounding], "sd", note)


def tissue_noise(volume: np.ndarray) -> float:
    """Return the noise's standard deviation from differences that smooth tissue cancels.

    Second differences over 3 voxels, as point spread links neighbours.
    """
    tissue = (volume > 0.05) & (volume < 0.3)
    step = 3
    before, here, after = volume[:, : -2 * step], volume[:, step:-step], volume[:, 2 * step :]
    inside = tissue[:, : -2 * step] & tissue[:, step:-step] & tissue[:, 2 * step :]
    differences = (before - 2 * here + after)[inside]
    return float(1.4826 * np.median(np.abs(differences)) / np.sqrt(6))
