"""Tests of simulated banks: anatomy reading and reproducibility."""

import itertools
import zipfile
from io import BytesIO
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage
from scipy.signal import fftconvolve

from cowgan.anatomy.arteries import Artery
from cowgan.anatomy.label_schemes import TERRITORIES, TOPCOW_2024
from cowgan.bank.anatomies import VesselMap, read_anatomies, read_archive, read_label_map
from cowgan.bank.bank import Bank
from cowgan.bank.description import DESCRIPTION_FILE, LABELS_FILE, VOXELS_FILE
from cowgan.bank.from_simulation import (
    PhantomArteries,
    SimulationOptions,
    SimulationRecipe,
    case_seed,
    keep_centred,
    simulate_bank,
)
from cowgan.bank.split import SplitRule
from cowgan.bank.writing import BankOptions
from cowgan.errors import CowganError
from cowgan.simulate import make_anatomy, simulate_tof
from cowgan.simulate.deformation import Deformation, DeformationLimits
from cowgan.volume import DEFAULT_SPACING_MM, Volume, default_affine, read_labels, write_labels

SHAPE = (32, 128, 128)


@pytest.fixture(scope="module")
def phantom():
    return make_anatomy(3, "complete")


@pytest.fixture(scope="module")
def archive(tmp_path_factory, phantom) -> Path:
    """Return an archive of two anatomies, one the mirror image of the other."""
    stored = np.rint(phantom.occupancy * 255).astype(np.uint8)
    las = stored.transpose(1, 2, 0)
    path = tmp_path_factory.mktemp("archive") / "anatomies.npz"
    names = np.array(["IXI002-Guys-0828-MRA.nii.gz", "IXI003-HH-1-MRA"])
    np.savez(path, names=names, occupancy=np.stack([las[::-1], las]))
    return path


def dice(one, other) -> float:
    return 2 * (one & other).sum() / (one.sum() + other.sum())


def overlap(one, other) -> float:
    """Return the largest correlation of two maps over all shifts."""
    product = fftconvolve(one, other[::-1, ::-1, ::-1], mode="same").max()
    return product / np.sqrt((one**2).sum() * (other**2).sum())


def test_an_archive_in_ras_order_is_turned_to_the_network_order(archive, phantom):
    right, mirrored = read_archive(archive)
    assert [right.name, mirrored.name] == ["IXI002-Guys-0828-MRA", "IXI003-HH-1-MRA"]
    np.testing.assert_allclose(right.occupancy, phantom.occupancy, atol=0.002)
    np.testing.assert_allclose(mirrored.occupancy, phantom.occupancy[:, ::-1], atol=0.002)


def test_the_real_archive_keeps_left_and_right(shared_dir):
    path = shared_dir / "data" / "ixi_cow_anatomies.npz"
    with np.load(path) as content:
        labels = content["label"][:6]
    anatomies = list(read_archive(path))[:6]
    for anatomy, stored in zip(anatomies, labels, strict=True):
        # The file says which voxels are left (4), right (5), anterior (3) and posterior (2).
        left, right, anterior, posterior = (
            np.argwhere(stored == value).mean(axis=0) for value in (4, 5, 3, 2)
        )
        z, x, y = np.indices(SHAPE)
        turned = {value: stored.transpose(2, 0, 1)[:, ::-1] == value for value in (4, 5, 3, 2)}
        for value in turned:
            inside = anatomy.stored[turned[value]]
            assert (inside > 0).mean() > 0.95, "labels and occupancy belong together"
        assert x[turned[4]].mean() > 64 > x[turned[5]].mean(), "x rises to the patient's left"
        assert y[turned[3]].mean() > y[turned[2]].mean(), "y rises to anterior"
        assert left[0] < right[0]
        assert anterior[1] > posterior[1]
        lower, upper = anatomy.occupancy[:8].sum(), anatomy.occupancy[-8:].sum()
        assert lower > upper, "carotid arteries enter from below"
        assert z.shape == anatomy.stored.shape
        assert anatomy.label_scheme == "territories"
        for value, mask in turned.items():
            np.testing.assert_array_equal(anatomy.labels == value, mask)


@pytest.mark.parametrize("name", ["IXI017-Guys-0698-MRA", "IXI015-HH-1258-MRA"])
def test_a_large_field_of_view_is_cut_to_the_circle(shared_dir, name):
    """The same anatomy is in the archive, cut out by someone else."""
    path = shared_dir / "data" / "ixi_full_fov" / f"{name}.nii.gz"
    cut = read_label_map(path, name)
    archive = read_archive(shared_dir / "data" / "ixi_cow_anatomies.npz")
    reference = next(anatomy for anatomy in archive if anatomy.name == name)
    assert cut.stored.shape == SHAPE
    assert overlap(cut.occupancy, reference.occupancy) > 0.9
    assert overlap(cut.occupancy[:, ::-1], reference.occupancy) < 0.6
    assert cut.occupancy.mean() == pytest.approx(reference.occupancy.mean(), rel=0.05)
    assert cut.off_centre_mm < 4
    assert cut.label_scheme is None, "its territories have numbers that TopCoW uses otherwise"


def test_a_label_map_on_the_grid_stays_where_it_is(tmp_path, phantom):
    write_labels(phantom.labels, default_affine(SHAPE), tmp_path / "a.nii.gz")
    anatomy = read_label_map(tmp_path / "a.nii.gz", "a")
    assert np.abs(anatomy.occupancy - phantom.occupancy).mean() < 0.01
    np.testing.assert_array_equal(anatomy.occupancy > 0.5, phantom.labels > 0)
    assert anatomy.label_scheme == "topcow2024"
    np.testing.assert_array_equal(anatomy.labels, phantom.labels)


def test_a_label_map_is_brought_to_the_grid_from_any_orientation(tmp_path, phantom):
    """A finer, larger map in another axis order gives the same arteries."""
    fine = (0.8, 0.45, 0.45)
    zoom = [a / b for a, b in zip(DEFAULT_SPACING_MM, fine, strict=True)]
    labels = ndimage.zoom(phantom.labels, zoom, order=0, grid_mode=True, mode="nearest")
    labels = np.pad(labels, ((8, 8), (20, 20), (30, 30)))
    las = nib.Nifti1Image(labels.transpose(1, 2, 0), default_affine(labels.shape, fine))
    turn = nib.orientations.ornt_transform(
        nib.orientations.axcodes2ornt("LAS"), nib.orientations.axcodes2ornt("PIR")
    )
    nib.save(las.as_reoriented(turn), tmp_path / "a.nii.gz")
    anatomy = read_label_map(tmp_path / "a.nii.gz", "a")
    assert anatomy.stored.shape == SHAPE
    assert overlap(anatomy.occupancy, phantom.occupancy) > 0.85
    assert overlap(anatomy.occupancy[:, ::-1], phantom.occupancy) < 0.8
    assert anatomy.label_scheme == "topcow2024"
    for artery in (Artery.R_PCA, Artery.L_PCA, Artery.R_MCA, Artery.L_MCA, Artery.ACOM):
        own, true = anatomy.labels == artery, phantom.labels == artery
        assert own.sum() == pytest.approx(true.sum(), rel=0.1, abs=2)
        assert overlap(own.astype(float), true.astype(float)) > 0.7
    right, left = (np.argwhere(anatomy.labels == a)[:, 1] for a in (Artery.R_MCA, Artery.L_MCA))
    assert right.mean() < 64 < left.mean()
    assert dice(anatomy.labels > 0, anatomy.occupancy > 0.5) > 0.9


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({}, "a mask"),
        ({2: 2, 3: 3, 4: 4, 5: 5}, "territories"),
        ({value: 1 + value % 7 for value in range(2, 13)}, "seven arteries"),
        ({2: 13, 3: 14}, "values of no known scheme"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_a_label_map_that_may_be_something_else_gives_no_labels(tmp_path, phantom, values, why):
    table = np.ones(16, np.uint8)
    table[0] = 0
    table[list(values)] = list(values.values())
    write_labels(table[phantom.labels], default_affine(SHAPE), tmp_path / "a.nii.gz")
    anatomy = read_label_map(tmp_path / "a.nii.gz", "a")
    assert (anatomy.labels, anatomy.label_scheme) == (None, None), why


def test_a_real_label_map_keeps_its_arteries(shared_dir):
    path = shared_dir / "data" / "topcow_mr_003_label.nii.gz"
    anatomy = read_label_map(path, "topcow")
    labels, affine = read_labels(path)
    ratio = abs(np.linalg.det(affine[:3, :3])) / np.prod(DEFAULT_SPACING_MM)
    assert TOPCOW_2024.unknown_in(anatomy.labels) == []
    assert dice(anatomy.labels > 0, anatomy.occupancy > 0.5) > 0.95
    for value in range(1, 11):  # the anterior cerebral arteries leave the region
        size = (labels == value).sum() * ratio
        assert (anatomy.labels == value).sum() == pytest.approx(size, abs=1)


@pytest.mark.parametrize(
    ("label", "has_labels"),
    [
        (lambda occupancy: occupancy // 64, True),
        (lambda occupancy: occupancy // 32, False),
        (lambda occupancy: (occupancy // 64)[..., :16], False),
        (lambda occupancy: (occupancy // 64).astype(np.int16), False),
    ],
)
def test_an_archive_may_hold_territories(tmp_path, phantom, label, has_labels):
    stored = np.rint(phantom.occupancy * 255).astype(np.uint8).transpose(1, 2, 0)[None]
    np.savez(tmp_path / "a.npz", names=np.array(["a"]), occupancy=stored, label=label(stored))
    (anatomy,) = read_archive(tmp_path / "a.npz")
    if has_labels:
        assert anatomy.label_scheme == "territories"
        np.testing.assert_array_equal(anatomy.labels, anatomy.stored // 64)
    else:
        assert anatomy.labels is None
        assert anatomy.label_scheme is None


def test_a_small_label_map_lies_in_the_middle(shared_dir):
    anatomy = read_label_map(shared_dir / "data" / "topcow_mr_003_label.nii.gz", "topcow")
    extent = np.argwhere(anatomy.stored > 0)
    assert extent.min(axis=0)[1:].min() > 5
    assert (127 - extent.max(axis=0)[1:]).min() > 5
    assert anatomy.occupancy.max() > 0.95


def test_inputs_may_be_mixed(archive, tmp_path, phantom):
    write_labels(phantom.labels, default_affine(SHAPE), tmp_path / "maps" / "b.nii.gz")
    write_labels(phantom.labels, default_affine(SHAPE), tmp_path / "maps" / "B2.nii.gz")
    for jobs in (1, 2):
        found = read_anatomies([tmp_path / "maps", archive], jobs)
        assert [anatomy.name for anatomy in found] == sorted(
            ["B2", "IXI002-Guys-0828-MRA", "IXI003-HH-1-MRA", "b"]
        )
    with pytest.raises(CowganError, match="Two anatomies are called"):
        read_anatomies([archive, archive])


def damaged_archives(folder: Path):
    occupancy = np.zeros((1, 128, 128, 32), np.uint8)
    yield "absent", {}, None
    yield "text", {}, b"no archive"
    yield "cut", {}, b"PK\x03\x04 cut off"
    yield "other", {"something": occupancy}, None
    yield "order", {"names": ["a"], "occupancy": occupancy.transpose(0, 3, 1, 2)}, None
    yield "count", {"names": ["a", "b"], "occupancy": occupancy}, None
    yield "type", {"names": ["a"], "occupancy": occupancy.astype(float)}, None
    yield "objects", {"names": np.array(["a"], object), "occupancy": occupancy}, None
    yield "numbers", {"names": [1], "occupancy": occupancy}, None
    packed = BytesIO()
    np.savez_compressed(packed, names=["a"], occupancy=np.random.default_rng(0).bytes(9999))
    bits = bytearray(packed.getvalue())
    bits[500:5000] = bytes(4500)
    yield "flipped", {}, bytes(bits)
    with zipfile.ZipFile(folder / "vast.npz", "w") as vast:
        with vast.open("names.npy", "w") as file:
            np.save(file, np.array(["a"]))
        with vast.open("occupancy.npy", "w") as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": (10**9, 128, 128, 32)}
            np.lib.format.write_array_header_1_0(file, header)
    yield "vast", {}, (folder / "vast.npz").read_bytes()


@pytest.mark.parametrize("index", range(11))
def test_a_damaged_archive_is_refused(tmp_path, index, single_sentence):
    name, content, raw = list(damaged_archives(tmp_path))[index]
    path = tmp_path / f"{name}.npz"
    if raw is not None:
        path.write_bytes(raw)
    elif content:
        np.savez(path, **content)
    with pytest.raises(CowganError) as refusal:
        read_anatomies([path])
    assert path.name in single_sentence(refusal)


def test_an_empty_label_map_is_refused(tmp_path, single_sentence):
    write_labels(np.zeros(SHAPE, np.uint8), default_affine(SHAPE), tmp_path / "a.nii.gz")
    with pytest.raises(CowganError) as refusal:
        read_anatomies([tmp_path / "a.nii.gz"])
    assert "a.nii.gz contains no artery" in single_sentence(refusal)


def test_only_anatomies_off_the_middle_are_left_out(phantom):
    stored = np.rint(phantom.occupancy * 255).astype(np.uint8)
    shifted = np.roll(stored, 25, axis=1)
    anatomies = [
        VesselMap("middle", stored),
        VesselMap("aside", shifted),
        VesselMap("empty", np.zeros_like(stored)),
    ]
    kept, dropped = keep_centred(anatomies, 8)
    assert [a.name for a in kept] == ["middle"]
    assert [a.name for a in dropped] == ["aside", "empty"]
    assert keep_centred(anatomies, np.inf)[0] == anatomies


def test_copies_differ_in_intensity_alone_and_stay_on_one_side(archive, phantom, tmp_path):
    anatomies = read_anatomies([archive])
    options = BankOptions(SplitRule(0.5))
    bank = simulate_bank(anatomies, tmp_path / "bank", SimulationOptions(2), options)
    assert [(case.name[:6], case.copy, case.subject) for case in bank.cases] == [
        ("IXI002", 0, "IXI002"),
        ("IXI002", 1, "IXI002"),
        ("IXI003", 0, "IXI003"),
        ("IXI003", 1, "IXI003"),
    ]
    assert len(bank.training) == len(bank.holdout) == 2
    assert bank.cases[bank.training[0]].subject == bank.cases[bank.training[1]].subject
    batch = bank.read(range(4))
    assert (batch[0] != batch[1]).mean() > 0.5
    for volume in batch:
        assert (volume == 0).mean() == pytest.approx(0.001, abs=0.0025)
        assert (volume == 1).mean() == pytest.approx(0.001, abs=0.0015)
    # The anatomies are mirror images, so their arteries are bright on opposite sides.
    inside = phantom.occupancy > 0.8
    asides = inside & (ndimage.maximum_filter(phantom.occupancy[:, ::-1], 5) == 0)
    for volume, artery in zip(
        batch[:, 0], (asides, asides, asides[:, ::-1], asides[:, ::-1]), strict=True
    ):
        assert volume[artery].mean() > 2.5 * volume[artery[:, ::-1]].mean()


def test_a_volume_can_be_made_again_from_what_the_bank_records(archive, tmp_path):
    anatomies = read_anatomies([archive])[:1]
    simulation = SimulationOptions(1, DeformationLimits(), seed=7)
    bank = simulate_bank(anatomies, tmp_path / "bank", simulation)
    history = bank.volume(0).provenance
    assert history["synthetic"] is True
    assert history["anatomy"]["file"] == "anatomies.npz"
    assert len(history["anatomy"]["sha256"]) == 64
    deformation = Deformation.draw(SHAPE, history["deformation"]["seed"])
    assert deformation.record == history["deformation"]
    occupancy = deformation.apply(anatomies[0].occupancy)
    tof = simulate_tof(occupancy, DEFAULT_SPACING_MM, seed=history["simulation"]["seed"])
    assert tof.provenance["simulation"] == history["simulation"]
    low, high = history["intensity"]["low"], history["intensity"]["high"]
    np.testing.assert_allclose((low, high), np.percentile(tof.data, (0.1, 99.9)))
    expected = np.clip((tof.data - low) / (high - low), 0, 1)
    np.testing.assert_allclose(bank.read([0])[0, 0], expected, atol=0.51 / 255)


@pytest.mark.parametrize("deformation", [None, DeformationLimits()])
def test_labels_are_those_of_the_simulated_arteries(tmp_path, phantom, deformation):
    bank = simulate_bank(
        [PhantomArteries(3)], tmp_path / "bank", SimulationOptions(1, deformation, seed=7)
    )
    assert bank.label_scheme is TOPCOW_2024
    labels = make_anatomy(3).labels
    if deformation is not None:
        seed = bank.cases[0].provenance["deformation"]["seed"]
        occupancy = make_anatomy(3).occupancy
        labels = Deformation.draw(SHAPE, seed).apply_to_labels(labels, occupancy)
    np.testing.assert_array_equal(bank.read_labels([0])[0], labels)
    volume = bank.read([0])[0, 0]
    assert volume[labels > 0].mean() > 3 * volume[labels == 0].mean(), "arteries are bright"
    bank.verify()


def test_labels_of_real_anatomies_fit_their_deformed_arteries(shared_dir, tmp_path):
    path = shared_dir / "data" / "ixi_cow_anatomies.npz"
    anatomies = list(itertools.islice(read_archive(path), 3))
    bank = simulate_bank(anatomies, tmp_path / "bank", SimulationOptions(1, DeformationLimits()))
    assert bank.label_scheme is TERRITORIES
    for index, anatomy in enumerate(anatomies):
        labels = bank.read_labels([index])[0]
        seed = bank.cases[index].provenance["deformation"]["seed"]
        deformed = Deformation.draw(SHAPE, seed).apply(anatomy.occupancy)
        undeformed = dice(anatomy.labels > 0, anatomy.occupancy > 0.5)
        assert dice(labels > 0, deformed > 0.5) > undeformed > 0.9
        np.testing.assert_array_equal(np.unique(labels), np.unique(anatomy.labels))


def test_a_bank_has_labels_only_if_every_anatomy_has_them_in_one_scheme(tmp_path, phantom):
    stored = np.rint(phantom.occupancy * 255).astype(np.uint8)
    territories = VesselMap("a", stored, {}, stored // 64, "territories")
    none = VesselMap("b", stored)
    voxels = []
    for number, anatomies in enumerate(
        ([territories], [territories, none], [territories, PhantomArteries(1)], [none])
    ):
        bank = simulate_bank(anatomies, tmp_path / str(number))
        assert (bank.label_scheme is not None) == (number == 0)
        voxels.append(bank.read([0]))
    np.testing.assert_array_equal(voxels[0], voxels[1], "labels do not change the volume")


def test_any_number_of_processes_gives_the_same_bank(tmp_path):
    phantoms = [PhantomArteries(0)]
    simulation = SimulationOptions(2, DeformationLimits())
    banks = [
        simulate_bank(phantoms, tmp_path / str(jobs), simulation, BankOptions(jobs=jobs))
        for jobs in (1, 2)
    ]
    for name in (VOXELS_FILE, LABELS_FILE, DESCRIPTION_FILE):
        assert (banks[0].path / name).read_bytes() == (banks[1].path / name).read_bytes()
    assert banks[0].cases[0].name == "phantom-000000"


def test_the_volume_of_an_anatomy_does_not_depend_on_others():
    first, second = (
        SimulationRecipe(PhantomArteries(seed), 0, SimulationOptions()) for seed in (0, 1)
    )
    assert case_seed(0, first.name, 0) != case_seed(0, second.name, 0)
    assert case_seed(0, first.name, 0) != case_seed(0, first.name, 1)
    assert case_seed(0, first.name, 0) != case_seed(1, first.name, 0)
    assert 0 <= case_seed(2**64 - 1, "x", 10**6) < 2**53
    assert case_seed(0, "phantom-000000", 0) == 4036742270353654


def test_an_anatomy_without_arteries_is_named_and_nothing_is_left(tmp_path, single_sentence):
    empty = VesselMap("IXI999-Guys-1-MRA", np.zeros(SHAPE, np.uint8))
    with pytest.raises(CowganError) as refusal:
        simulate_bank([empty], tmp_path / "bank")
    assert "IXI999-Guys-1-MRA" in single_sentence(refusal)
    assert not list(tmp_path.iterdir())


def test_nothing_to_simulate_is_refused(tmp_path, single_sentence):
    with pytest.raises(CowganError) as refusal:
        simulate_bank([], tmp_path / "bank")
    single_sentence(refusal)
    with pytest.raises(CowganError) as refusal:
        SimulationOptions(0)
    single_sentence(refusal)
    with pytest.raises(CowganError) as refusal:
        SimulationOptions(joined=-1)
    single_sentence(refusal)


def test_two_anatomies_of_one_name_are_refused(tmp_path, single_sentence):
    with pytest.raises(CowganError) as refusal:
        simulate_bank([PhantomArteries(1), PhantomArteries(1)], tmp_path / "bank")
    assert "phantom-000001" in single_sentence(refusal)


def test_a_simulated_bank_is_centred_and_synthetic(tmp_path):
    bank = simulate_bank([PhantomArteries(5)], tmp_path / "bank")
    volume = Bank.open(bank.path).volume(0)
    assert isinstance(volume, Volume)
    assert volume.synthetic
    np.testing.assert_allclose(volume.affine, default_affine(SHAPE))
    assert volume.provenance["anatomy"] == {"phantom_seed": 5}
