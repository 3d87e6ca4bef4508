"""Tests of reading and validating banks."""

import hashlib
import json
import multiprocessing
import pickle
import re
import shutil
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cowgan.bank.bank import Bank
from cowgan.bank.description import DESCRIPTION_FILE, VOXELS_FILE
from cowgan.bank.encoding import decode, encode, stored_dtype
from cowgan.bank.from_nifti import bank_from_nifti
from cowgan.bank.split import SplitRule
from cowgan.bank.writing import BankOptions
from cowgan.errors import Cancelled, CowganError
from cowgan.volume import Volume, default_affine, write_nifti

SHAPE = (4, 6, 5)
VOXEL_TYPES = ("uint8", "uint16", "float16")
STEP = {"uint8": 1 / 255, "uint16": 1 / 65535, "float16": 2**-11}


def volume(seed: int, shape: tuple[int, int, int] = SHAPE) -> Volume:
    data = np.random.default_rng(seed).random(shape, np.float32)
    data.flat[:2] = 0, 1
    return Volume(data, default_affine(shape))


@pytest.fixture(scope="module")
def scans(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    for i in range(12):
        write_nifti(volume(i), folder / f"sub-{i:02d}_angio.nii.gz")
    return folder


@pytest.fixture(scope="module")
def built(scans, tmp_path_factory) -> Bank:
    return bank_from_nifti([scans], tmp_path_factory.mktemp("banks") / "bank")


@pytest.fixture
def folder(built: Bank, tmp_path) -> Path:
    """Return a copy of the bank that a test may damage."""
    return shutil.copytree(built.path, tmp_path / "bank")


def change(folder: Path, edit) -> None:
    path = folder / DESCRIPTION_FILE
    content = json.loads(path.read_text(encoding="utf-8"))
    edit(content)
    path.write_text(json.dumps(content), encoding="utf-8")


@given(
    arrays(np.float32, (2, 3, 4), elements=st.floats(0, 1, width=32)), st.sampled_from(VOXEL_TYPES)
)
def test_stored_intensities_are_within_half_a_step(data, voxel_type):
    out = np.empty_like(data)
    decode(encode(data, voxel_type), out)
    np.testing.assert_allclose(out, data, rtol=0, atol=0.5001 * STEP[voxel_type])
    assert out.min() >= 0
    assert out.max() <= 1
    np.testing.assert_array_equal(out[data == 1], 1)
    np.testing.assert_array_equal(out[data == 0], 0)


def test_every_half_precision_number_is_read_exactly():
    halves = np.arange(0x3C01, dtype="<u2").view("<f2")  # all from 0 to 1
    out = np.empty(halves.shape, np.float32)
    decode(halves, out)
    np.testing.assert_array_equal(out, halves.astype(np.float32))


@pytest.mark.parametrize("value", [-0.01, 1.01, 255])
def test_intensities_beyond_0_to_1_are_refused(value, single_sentence):
    with pytest.raises(CowganError) as refusal:
        encode(np.array([0.5, value], np.float32), "uint8")
    assert "0 to 1" in single_sentence(refusal)


@pytest.mark.parametrize("voxel_type", VOXEL_TYPES)
def test_volumes_are_read_back_unchanged(scans, tmp_path, voxel_type):
    bank = bank_from_nifti([scans], tmp_path / "bank", options=BankOptions(voxel_type=voxel_type))
    batch = bank.read([7, 0, 7])
    assert batch.shape == (3, 1, *SHAPE)
    assert batch.dtype == np.float32
    assert batch.flags.c_contiguous
    assert batch.flags.writeable
    for got, seed in zip(batch, (7, 0, 7), strict=True):
        np.testing.assert_allclose(got[0], volume(seed).data, rtol=0, atol=STEP[voxel_type] / 1.9)
    bank.verify()
    # It is an ordinary array file, for those who have only NumPy.
    stored = np.load(bank.path / VOXELS_FILE, mmap_mode="r")
    assert stored.shape == (12, *SHAPE)
    assert stored.dtype == np.dtype(voxel_type)


def test_a_batch_can_be_read_into_an_existing_array(built):
    out = np.empty((2, 1, *SHAPE), np.float32)
    assert built.read([3, 4], out) is out
    np.testing.assert_array_equal(out, built.read([3, 4]))
    for unfit in (out[:1], out.astype(np.float64), out[:, :, ::-1]):
        with pytest.raises(ValueError, match="out must be"):
            built.read([3, 4], unfit)


def test_the_voxels_cannot_be_written(built):
    with pytest.raises(ValueError, match="read-only"):
        built._voxels[0] = 0


def test_an_empty_batch_is_empty(built):
    assert built.read([]).shape == (0, 1, *SHAPE)
    assert built.read(built.training[:0]).shape == (0, 1, *SHAPE)


@pytest.mark.parametrize("indices", [[12], [-1], [0.5], ["a"], [[0]], [True]])
def test_an_invalid_index_is_refused(built, indices, single_sentence):
    with pytest.raises(CowganError) as refusal:
        built.read(indices)
    single_sentence(refusal)


def test_training_and_holdout_partition_the_volumes(built):
    assert len(built.holdout) == 1
    assert sorted([*built.training, *built.holdout]) == list(range(12))
    assert built.read(built.holdout).shape[0] == 1
    assert {built.cases[i].split for i in built.training} == {"training"}


def test_a_volume_comes_with_its_place_and_history(built, scans):
    third = built.volume(3)
    np.testing.assert_allclose(third.data, volume(3).data, atol=STEP["uint8"])
    np.testing.assert_allclose(third.affine, default_affine(SHAPE), atol=1e-6)
    source = third.provenance["sources"][-1]
    file = scans / "sub-03_angio.nii.gz"
    assert source["file"] == file.name
    assert source["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert third.provenance["bank"]["subject"] == "sub-03"
    with pytest.raises(CowganError):
        built.volume(12)


def test_the_hash_identifies_voxels_and_split_and_nothing_else(scans, built, tmp_path):
    again = bank_from_nifti([scans], tmp_path / "again")
    assert again.sha256 == built.sha256
    other_split = bank_from_nifti(
        [scans], tmp_path / "split", options=BankOptions(SplitRule(holdout=0.3))
    )
    assert other_split.sha256 != built.sha256
    changed = tmp_path / "scans"
    shutil.copytree(scans, changed)
    data = volume(5).data.copy()
    data[2, 3, 4] = 1 - data[2, 3, 4]
    write_nifti(Volume(data, default_affine(SHAPE)), changed / "sub-05_angio.nii.gz")
    assert bank_from_nifti([changed], tmp_path / "changed").sha256 != built.sha256


def test_one_changed_byte_is_found_and_named(folder):
    Bank.open(folder).verify()
    path = folder / VOXELS_FILE
    content = bytearray(path.read_bytes())
    content[-np.prod(SHAPE) * 2 - 1] ^= 1  # the last voxel of the third volume from the end
    path.write_bytes(content)
    bank = Bank.open(folder)
    with pytest.raises(CowganError, match="the case sub-09_angio"):
        bank.verify()


def test_verifying_reports_and_can_be_stopped(built):
    class Stop:
        cancelled = False
        reports: list[tuple[int, int]]

        def __init__(self) -> None:
            self.reports = []

        def report(self, done: int, total: int, message: str = "") -> None:
            self.reports.append((done, total))
            self.cancelled = done == 3

    stop = Stop()
    with pytest.raises(Cancelled):
        built.verify(stop)
    assert stop.reports == [(1, 12), (2, 12), (3, 12)]


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_several_processes_read_one_bank(built, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    context = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, context) as pool:
        read = list(pool.map(Bank.read, [built] * 12, [[i] for i in range(12)]))
    np.testing.assert_array_equal(np.concatenate(read), built.read(range(12)))


def test_a_forked_reader_uses_what_it_inherits(built):
    if "fork" not in multiprocessing.get_all_start_methods():
        pytest.skip("no fork here")
    context = multiprocessing.get_context("fork")
    inbox = context.SimpleQueue()
    readers = [
        context.Process(target=lambda i=i: inbox.put((i, built.read([i]).sum()))) for i in range(3)
    ]
    for reader in readers:
        reader.start()
    got = dict(inbox.get() for _ in readers)
    for reader in readers:
        reader.join()
        assert reader.exitcode == 0
    assert got == {i: built.read([i]).sum() for i in range(3)}


def test_a_pickled_bank_is_small_and_notices_a_replaced_one(folder, scans):
    pickled = pickle.dumps(Bank.open(folder))
    assert len(pickled) < 1000
    assert pickle.loads(pickled).sha256 == Bank.open(folder).sha256
    options = BankOptions(SplitRule(holdout=0.5), overwrite=True)
    bank_from_nifti([scans], folder, options=options)
    with pytest.raises(CowganError, match="replaced"):
        pickle.loads(pickled)


def test_an_open_bank_survives_being_replaced(folder, scans):
    bank = Bank.open(folder)
    before = bank.read([0, 1])
    bank_from_nifti([scans], folder, options=BankOptions(voxel_type="uint16", overwrite=True))
    np.testing.assert_array_equal(bank.read([0, 1]), before)


def test_a_bank_describes_itself(built):
    assert repr(built) == "<Bank of 12 volumes, 4 x 6 x 5 (z, x, y), uint8>"
    assert len(built) == 12
    assert built.spacing_mm == (0.62, 0.61875, 0.61875)
    content = json.loads((built.path / DESCRIPTION_FILE).read_text(encoding="utf-8"))
    assert content["sha256"] == built.sha256
    assert re.fullmatch(r"napari-cowgan \S+", content["written_by"])
    assert content["origin"] == {
        "kind": "nifti",
        "scaling": "none",
        "split": {"holdout": 0.1, "seed": 0, "table": None},
    }


def truncate(folder: Path) -> None:
    path = folder / VOXELS_FILE
    path.write_bytes(path.read_bytes()[:-1])


def lengthen(folder: Path) -> None:
    with (folder / VOXELS_FILE).open("ab") as file:
        file.write(b"\0")


def swap_voxels(folder: Path) -> None:
    np.save(folder / VOXELS_FILE, np.zeros((12, *SHAPE[::-1]), np.uint8))


def transpose_voxels(folder: Path) -> None:
    np.save(folder / VOXELS_FILE, np.zeros((12, *SHAPE), np.uint8, order="F"))


def pickle_voxels(folder: Path) -> None:
    objects = np.empty((12, *SHAPE), object)
    np.save(folder / VOXELS_FILE, objects, allow_pickle=True)


def write_voxels(content: bytes):
    return lambda folder: (folder / VOXELS_FILE).write_bytes(content)


def header_of(text: bytes) -> bytes:
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def write_description(text: str):
    return lambda folder: (folder / DESCRIPTION_FILE).write_text(text, encoding="utf-8")


def edit(function):
    return lambda folder: change(folder, function)


def put(*path_and_value):
    *path, last, value = path_and_value

    def function(content):
        for key in path:
            content = content[key]
        content[last] = value

    return edit(function)


DAMAGES = {
    "truncated": (truncate, "incomplete"),
    "longer": (lengthen, "incomplete or damaged"),
    "no voxels": (lambda folder: (folder / VOXELS_FILE).unlink(), "missing"),
    "empty voxels": (write_voxels(b""), "damaged"),
    "not an array": (write_voxels(b"hello" * 100), "not an array"),
    "hostile header": (
        write_voxels(b"\x93NUMPY\x01\x00\x46\x00" + b"__import__('os')".ljust(70)),
        "not an array",
    ),
    "deep header": (write_voxels(header_of(b"(" * 5000)), "not an array"),
    "open header": (write_voxels(header_of(b"{'descr': (")), "not an array"),
    "another array": (swap_voxels, "does not belong"),
    "another order": (transpose_voxels, "does not belong"),
    "pickled objects": (pickle_voxels, "does not belong"),
    "no description": (lambda folder: (folder / DESCRIPTION_FILE).unlink(), "it has no bank.json"),
    "not JSON": (write_description("{"), "damaged"),
    "deep JSON": (write_description("[" * 100_000), "damaged"),
    "not text": (lambda folder: (folder / DESCRIPTION_FILE).write_bytes(b"\xff\xfe"), "damaged"),
    "foreign": (write_description('{"format": "something"}'), "another program"),
    "a list": (write_description("[]"), "another program"),
    "newer": (put("format_version", 2), "newer version"),
    "no version": (put("format_version", None), "damaged"),
    "version 0": (put("format_version", 0), "damaged"),
    "negative size": (put("shape", [12, -4, -6, 5]), "damaged"),
    "no size": (put("shape", [12, 0, 6, 5]), "damaged"),
    "two axes": (put("shape", [12, 4]), "damaged"),
    "size as text": (put("shape", "1465"), "damaged"),
    "fractions of voxels": (put("shape", [12, 4.0, 6, 5]), "damaged"),
    "more volumes": (put("shape", [13, 4, 6, 5]), "damaged"),
    "object type": (put("dtype", "object"), "damaged"),
    "no type": (put("dtype", None), "damaged"),
    "no spacing": (put("spacing_mm", [0, 1, 1]), "damaged"),
    "NaN spacing": (put("spacing_mm", [float("nan"), 1, 1]), "damaged"),
    "no cases": (put("cases", None), "damaged"),
    "a case is a number": (put("cases", 0, 7), "damaged"),
    "a case without name": (edit(lambda c: c["cases"][0].pop("name")), "damaged"),
    "a case without hash": (put("cases", 0, "sha256", "?"), "damaged"),
    "a case twice": (edit(lambda c: c["cases"].__setitem__(0, c["cases"][1])), "damaged"),
    "another split": (put("cases", 0, "split", "test"), "damaged"),
    "a moved case": (
        edit(lambda c: [case.update(split="training") for case in c["cases"]]),
        "damaged or was changed by hand",
    ),
    "a leak": (
        edit(lambda c: [case.update(subject="same") for case in c["cases"]]),
        "damaged or was changed by hand",
    ),
    "a damaged affine": (put("cases", 0, "affine", [[1, 0], [0, 1]]), "damaged"),
    "another hash": (put("sha256", "0" * 64), "damaged"),
}


@pytest.mark.parametrize(("damage", "said"), DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_or_foreign_folder_is_refused(folder, damage, said, single_sentence):
    damage(folder)
    with pytest.raises(CowganError) as refusal:
        Bank.open(folder)
    assert said in single_sentence(refusal)


def test_a_path_without_a_bank_is_refused(tmp_path, single_sentence):
    (tmp_path / "file").write_text("", encoding="utf-8")
    for path in (tmp_path, tmp_path / "absent", tmp_path / "file", tmp_path / "file" / "x"):
        with pytest.raises(CowganError) as refusal:
            Bank.open(path)
        assert "not a training bank" in single_sentence(refusal)


def test_types_are_little_endian_everywhere():
    assert [stored_dtype(name).str for name in VOXEL_TYPES] == ["|u1", "<u2", "<f2"]
