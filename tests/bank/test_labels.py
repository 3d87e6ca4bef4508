"""Tests of banks with label maps."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from training_banks import LabelledTubes, Tubes, make_bank

from cowgan.anatomy.label_schemes import TERRITORIES
from cowgan.bank.bank import Bank
from cowgan.bank.description import DESCRIPTION_FILE, LABELS_FILE
from cowgan.bank.writing import BankOptions, LabelledVolume, write_bank
from cowgan.errors import Cancelled, CowganError
from cowgan.volume import Volume


@pytest.fixture
def bank(tmp_path: Path) -> Bank:
    return make_bank(tmp_path / "bank", 4, kind=LabelledTubes)


@dataclass(frozen=True)
class Given:
    """A volume as it is given."""

    volume: Volume
    name: str
    copy: int = 0

    def make(self) -> Volume:
        return self.volume


def set_scheme(bank: Bank, scheme: object) -> None:
    path = bank.path / DESCRIPTION_FILE
    content = json.loads(path.read_text(encoding="utf-8"))
    content["label_scheme"] = scheme
    path.write_text(json.dumps(content), encoding="utf-8")


def test_labels_are_read_back_unchanged(bank):
    assert bank.label_scheme is TERRITORIES
    labels = bank.read_labels([2, 0, 2])
    assert labels.shape == (3, *bank.shape)
    assert labels.dtype == np.uint8
    assert type(labels) is np.ndarray
    for got, number in zip(labels, (2, 0, 2), strict=True):
        np.testing.assert_array_equal(got, LabelledTubes(number).make().labels)
    bank.verify()
    # It is an ordinary array file, for those who have only NumPy.
    np.testing.assert_array_equal(np.load(bank.path / LABELS_FILE)[[2, 0, 2]], labels)


def test_labels_belong_to_the_voxels_of_the_same_index(bank):
    for index in range(len(bank)):
        bright = bank.read([index])[0, 0] > 0.5
        np.testing.assert_array_equal(bank.read_labels([index])[0] > 0, bright)


@pytest.mark.parametrize("indices", [[4], [-1], [0.5]])
def test_an_invalid_index_is_refused(bank, indices, single_sentence):
    with pytest.raises(CowganError) as refusal:
        bank.read_labels(indices)
    single_sentence(refusal)


def test_a_bank_without_labels_says_so(tmp_path, single_sentence):
    bank = make_bank(tmp_path / "bank", 2)
    assert bank.label_scheme is None
    assert not (bank.path / LABELS_FILE).exists()
    with pytest.raises(CowganError) as refusal:
        bank.read_labels([0])
    assert "has no labels" in single_sentence(refusal)


def test_a_bank_from_before_labels_opens_with_the_same_hash(tmp_path):
    bank = make_bank(tmp_path / "bank", 2)
    path = bank.path / DESCRIPTION_FILE
    content = json.loads(path.read_text(encoding="utf-8"))
    del content["label_scheme"]
    path.write_text(json.dumps(content), encoding="utf-8")
    opened = Bank.open(bank.path)
    assert opened.label_scheme is None
    assert opened.sha256 == bank.sha256
    opened.verify()


def test_the_hash_covers_labels_and_scheme(bank, tmp_path):
    volumes = [LabelledTubes(number).make() for number in range(4)]

    def rebuilt(name: str, changed: list[Volume]) -> Bank:
        recipes = [Given(volume, f"sub-{i:02d}") for i, volume in enumerate(changed)]
        return write_bank(tmp_path / name, recipes)

    assert rebuilt("same", volumes).sha256 == bank.sha256
    labels = volumes[1].labels.copy()
    labels[0, 0, 0] = 1
    one_voxel = [volumes[0], replace(volumes[1], labels=labels), *volumes[2:]]
    unlabelled = [Volume(one.data, one.affine, one.provenance) for one in volumes]
    other_scheme = [replace(one, label_scheme="topcow2024") for one in volumes]
    banks = [
        rebuilt(name, changed)
        for name, changed in (("voxel", one_voxel), ("none", unlabelled), ("topcow", other_scheme))
    ]
    assert len({bank.sha256, *(other.sha256 for other in banks)}) == 4


def test_one_changed_label_is_found_and_named(bank):
    path = bank.path / LABELS_FILE
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(CowganError, match="sub-03"):
        Bank.open(bank.path).verify()


def test_a_label_that_the_scheme_does_not_have_is_refused(bank, single_sentence):
    path = bank.path / LABELS_FILE
    content = bytearray(path.read_bytes())
    content[-1] = 99
    path.write_bytes(content)
    damaged = Bank.open(bank.path)
    damaged.read_labels([0, 1, 2])
    with pytest.raises(CowganError) as refusal:
        damaged.read_labels([3])
    assert "99" in single_sentence(refusal)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda path: path.unlink(), "missing"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "incomplete"),
        (lambda path: path.write_bytes(b"hello" * 100), "not an array"),
        (lambda path: np.save(path, np.zeros((4, 16, 16, 8), np.uint8)), "does not belong"),
        (lambda path: np.save(path, np.zeros((4, 16, 16, 16), np.uint16)), "does not belong"),
    ],
)
def test_damaged_labels_are_refused(bank, damage, said, single_sentence):
    damage(bank.path / LABELS_FILE)
    with pytest.raises(CowganError) as refusal:
        Bank.open(bank.path)
    assert said in single_sentence(refusal)


@pytest.mark.parametrize("scheme", ["topcow2024", "arteries", 7, None])
def test_another_scheme_in_the_description_is_refused(bank, scheme, single_sentence):
    set_scheme(bank, scheme)
    with pytest.raises(CowganError) as refusal:
        Bank.open(bank.path)
    assert "damaged" in single_sentence(refusal)


def test_either_all_volumes_have_labels_of_one_scheme_or_none(tmp_path, single_sentence):
    first = LabelledTubes(0).make()
    for other in (Tubes(1).make(), replace(first, label_scheme="topcow2024")):
        for pair in ((first, other), (other, first)):
            recipes = [Given(volume, f"sub-{i}") for i, volume in enumerate(pair)]
            with pytest.raises(CowganError) as refusal:
                write_bank(tmp_path / "bank", recipes)
            assert "sub-1" in single_sentence(refusal)
            assert "scheme" in single_sentence(refusal)
            assert list(tmp_path.iterdir()) == []


def test_labels_must_fit_volume_and_scheme(single_sentence):
    tube = LabelledTubes(0).make()
    for changes in (
        {"labels": tube.labels[:-1]},
        {"labels": tube.labels.astype(np.int16)},
        {"labels": np.full_like(tube.labels, 9)},
        {"label_scheme": "arteries"},
    ):
        with pytest.raises(CowganError) as refusal:
            LabelledVolume(**{**vars(tube), **changes})
        single_sentence(refusal)


def test_cancelling_leaves_nothing(tmp_path):
    class Stop:
        cancelled = False

        def report(self, done: int, total: int, message: str = "") -> None:
            self.cancelled = done == 2

    recipes = [LabelledTubes(number) for number in range(4)]
    with pytest.raises(Cancelled):
        write_bank(tmp_path / "bank", recipes, progress=Stop())
    assert list(tmp_path.iterdir()) == []


def test_a_bank_with_labels_can_be_replaced_by_one_without(bank):
    options = BankOptions(overwrite=True)
    write_bank(bank.path, [Tubes(0)], options)
    assert not (bank.path / LABELS_FILE).exists()
