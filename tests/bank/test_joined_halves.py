"""Anatomies whose halves are two people's."""

import numpy as np
import pytest
from scipy.ndimage import label

from cowgan.anatomy.label_schemes import TOPCOW_2024
from cowgan.bank.anatomies import VesselMap, read_archive
from cowgan.bank.from_simulation import SimulationOptions, simulate_bank
from cowgan.bank.joined_halves import JoinedHalves, fitting_halves
from cowgan.bank.split import SplitRule
from cowgan.bank.writing import BankOptions
from cowgan.measure.overlap import dice
from cowgan.simulate import make_anatomy

MIDDLE, SEAM = 64, 4


def person(seed: int, name: str = "", mirrored: bool = False) -> VesselMap:
    made = make_anatomy(seed)
    stored = np.rint(made.occupancy * 255).astype(np.uint8)
    labels = made.labels
    if mirrored:
        stored, labels = stored[:, ::-1], TOPCOW_2024.mirrored(labels)
    name = name or f"person{seed}"
    return VesselMap(name, np.ascontiguousarray(stored), {"name": name}, labels, "topcow2024")


@pytest.fixture(scope="module")
def people() -> list[VesselMap]:
    return [person(seed) for seed in (1, 2)]


def test_away_from_the_midline_each_half_is_as_it_was(people):
    left, other = people
    joined = JoinedHalves(left, other, False).occupancy
    np.testing.assert_array_equal(joined[:, MIDDLE + SEAM :], left.occupancy[:, MIDDLE + SEAM :])
    np.testing.assert_array_equal(joined[:, : MIDDLE - SEAM], other.occupancy[:, : MIDDLE - SEAM])


def test_a_mirrored_half_is_the_left_one_of_the_other(people):
    left, other = people
    joined = JoinedHalves(left, other, True)
    right = other.occupancy[:, ::-1]
    np.testing.assert_array_equal(joined.occupancy[:, : MIDDLE - SEAM], right[:, : MIDDLE - SEAM])
    labels = joined.labels
    expected = TOPCOW_2024.mirrored(other.labels)
    both = (labels > 0) & (expected > 0)
    both[:, MIDDLE - SEAM :] = False
    np.testing.assert_array_equal(labels[both], expected[both])
    assert both.sum() > 0.8 * (expected[:, : MIDDLE - SEAM] > 0).sum()


def test_a_person_joined_with_the_own_mirror_image_is_unchanged():
    one, mirror = person(3), person(3, "mirror", mirrored=True)
    ((half,), _) = fitting_halves([one, mirror], 5)
    assert (half.index, half.mirrored, half.overlap) == (1, True, 1.0)
    joined = JoinedHalves(one, mirror, half.mirrored)
    np.testing.assert_allclose(joined.occupancy, one.occupancy, atol=1e-6)
    assert dice(joined.labels > 0, one.stored > 127) == 1


def test_halves_that_do_not_meet_are_not_joined(people):
    empty = VesselMap("empty", np.zeros_like(people[0].stored))
    assert fitting_halves([people[0], empty], 3) == [[], []]
    assert fitting_halves(people[:1], 3) == [[]]


def test_joined_people_are_in_one_piece_as_often_as_people_are(shared_dir):
    people = list(read_archive(shared_dir / "data" / "ixi_cow_anatomies.npz"))[:60]
    joined = [
        JoinedHalves(person, people[half.index], half.mirrored)
        for person, halves in zip(people, fitting_halves(people, 1), strict=True)
        for half in halves
    ][:15]
    assert len(joined) == 15

    def largest(arteries) -> float:
        pieces, _ = label(arteries.occupancy >= 0.5, np.ones((3, 3, 3)))
        sizes = np.bincount(pieces.ravel())[1:]
        return sizes.max() / sizes.sum()

    shares = [np.mean([largest(each) for each in those]) for those in (people, joined)]
    assert shares[1] > shares[0] - 0.03


def test_only_people_of_the_training_side_are_joined(tmp_path):
    people = [person(3, f"sub-{n}", mirrored=bool(n % 2)) for n in range(5)]
    options = BankOptions(SplitRule(holdout=0.4))
    bank = simulate_bank(people, tmp_path / "bank", SimulationOptions(1, joined=1), options)
    held_out = {bank.cases[i].subject for i in bank.holdout}
    assert len(held_out) == 2
    cases = [bank.cases[i] for i in bank.training]
    assert sorted(case.copy for case in cases) == [0] * 3 + [1] * 3
    for case in cases:
        if case.copy:
            halves = case.provenance["anatomy"]
            assert halves["left_half"]["name"] == case.subject
            assert halves["right_half"]["name"] not in {case.subject, *held_out}
    assert [bank.cases[i].copy for i in bank.holdout] == [0, 0]
