"""Frozen studies: packages do not reveal the truth, and every file is checked."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from session_walker import take_step
from turing_studies import (
    SHAPE,
    SPACING_MM,
    STUDY_SEED,
    freeze,
    protocol,
    write_volumes,
)

from cowgan.checkpoint import load
from cowgan.documents import checked, parse_json
from cowgan.errors import Cancelled, CowganError
from cowgan.synthesis import LatentState, Synthesizer
from cowgan.turing.design.processing import dithered, scale
from cowgan.turing.design.protocol import Protocol, default_practice, default_repeats
from cowgan.turing.design.sources import FolderSource, generated_source
from cowgan.turing.design.trials import Rules
from cowgan.turing.design.truth_key import commitment, new_salt, secret_stream
from cowgan.turing.reading.package import Package
from cowgan.turing.reading.session import Session
from cowgan.turing.reading.snapshot import State
from cowgan.turing.study import creation
from cowgan.turing.study.creation import new_study
from cowgan.turing.study.study import Study
from cowgan.volume import Volume, default_affine, read_volume, write_labels, write_nifti


@pytest.fixture(scope="module")
def frozen(tmp_path_factory) -> Study:
    return freeze(tmp_path_factory.mktemp("frozen"), from_model=True, accept_leak="noise")


@pytest.fixture
def study(frozen, tmp_path) -> Study:
    """Return a copy that a test may damage."""
    return Study.open(shutil.copytree(frozen.folder, tmp_path / "study"))


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_packages_reveal_nothing_in_any_byte_or_name(frozen):
    origins = [case.origin for case in frozen.key.cases]
    secrets = {
        *("real", "generated", "synthetic", "fake", "truth", "seed", "psi", "latent"),
        *("checkpoint", "stylegan", "phantom", "nifti", "safetensors", "scan", "model"),
        *("sub-zebra", "zebra", "angio", "real_scans", "gan_model"),
        *(f'"{case.name}"' for case in frozen.key.cases),
        *(str(origin[name]) for origin in origins for name in ("file", "seed") if name in origin),
        *(origin.get("sha256", "-" * 9) for origin in origins),
        frozen.description["sources"]["generated"]["checkpoint_sha256"],
        str(STUDY_SEED),
        (frozen.folder / "key" / "salt.bin").read_bytes().hex(),
    }
    assert len(secrets) > 60
    for reader in frozen.readers:
        package = frozen.package_folder(reader)
        for path in [package, *package.rglob("*")]:
            name = path.relative_to(package.parent).as_posix().lower()
            content = path.read_bytes().lower() if path.is_file() else b""
            for secret in secrets:
                assert secret.lower() not in name
                assert secret.lower().encode() not in content, f"{secret} in {name}"
                assert secret.lower().encode("utf-16-le") not in content


def test_all_volume_files_have_the_same_size_header_and_dates(frozen):
    for reader in frozen.readers:
        folder = frozen.package_folder(reader)
        volumes = files_of(folder / "vol") + files_of(folder / "practice")
        assert len(volumes) == 26
        assert {path.stat().st_size for path in volumes} == {128 + 2 * np.prod(SHAPE)}
        assert len({path.read_bytes()[:128] for path in volumes}) == 1
        assert all(re.fullmatch(r"[0-9a-f]{8}\.npy", path.name) for path in volumes)
        everything = [folder, *folder.rglob("*")]
        assert len({path.stat().st_mtime_ns for path in everything}) == 1
        assert len({path.stat().st_mode for path in volumes}) == 1


def test_names_and_their_order_reveal_nothing(tmp_path):
    study = freeze(tmp_path, protocol(readers=40, practice=0, impressions=0))
    ranks, first_halves = [], 0
    for reader in study.readers:
        manifest = study.package(reader).manifest
        assert list(manifest.volumes) == sorted(manifest.volumes)
        truths = [study.key.case(reader, name).truth for name in manifest.volumes]
        ranks += [rank for rank, truth in enumerate(truths) if truth == "generated"]
        first_halves += truths[:10].count("generated")
    # 400 ranks of mean 9.5 and standard deviation 5.8: five standard errors are 1.4.
    assert abs(np.mean(ranks) - 9.5) < 1.4
    names = [name for reader in study.readers for name in study.key.readers[reader]]
    assert len(set(names)) == len(names), "readers could compare notes"


def test_every_reader_has_the_same_cases_in_another_order(frozen):
    orders = []
    for reader in frozen.readers:
        trials = frozen.package(reader).manifest.trials
        names = [frozen.key.case(reader, trial.cases[0]).name for trial in trials]
        assert {*names} == {case.name for case in frozen.key.cases}
        orders.append(names)
    assert orders[0] != orders[1]


def test_the_order_cannot_be_guessed_from_the_seed(tmp_path, frozen):
    again = freeze(tmp_path, salt=bytes([1] * 32))

    def truths(study: Study) -> list[str]:
        trials = study.package("sub-R01").manifest.trials
        return [study.key.case("sub-R01", trial.cases[0]).truth for trial in trials]

    assert again.protocol == frozen.protocol
    assert truths(again) != truths(frozen)
    assert new_salt() != new_salt()


def test_the_course_follows_the_protocol(frozen):
    for reader in frozen.readers:
        trials = frozen.package(reader).manifest.trials
        assert [trial.number for trial in trials] == list(range(1, len(trials) + 1))
        by_phase = {
            phase: [trial for trial in trials if trial.phase == phase]
            for phase in ("impression", "practice", "reading")
        }
        assert {phase: len(of) for phase, of in by_phase.items()} == {
            "impression": 2,
            "practice": 4,
            "reading": 24,
        }
        assert [trial.phase for trial in trials] == sorted(trial.phase for trial in trials)
        truth = {trial.number: frozen.key.case(reader, trial.cases[0]).truth for trial in trials}
        for trial in by_phase["practice"]:
            assert trial.expected == {"real": "R", "generated": "G"}[truth[trial.number]]
        assert all(t.expected is None for t in by_phase["impression"] + by_phase["reading"])
        reading = [truth[trial.number] for trial in by_phase["reading"]]
        assert [reading[i : i + 10].count("real") for i in (0, 10)] == [5, 5]
        assert [trial.block for trial in by_phase["reading"]] == [i // 10 for i in range(24)]
        shown = {p: {case for t in of for case in t.cases} for p, of in by_phase.items()}
        assert not shown["practice"] & shown["reading"]
        assert not shown["impression"] & shown["reading"]


def test_both_classes_go_through_the_same_processing(frozen):
    reader = frozen.readers[0]
    package = frozen.package(reader)
    root = frozen.folder.parent
    salt = (frozen.folder / "key" / "salt.bin").read_bytes()
    renderer = Synthesizer(load(root / "gan_model.safetensors"), "cpu")
    for shown in package.manifest.volumes:
        case = frozen.key.case(reader, shown)
        if case.truth == "real":
            data = read_volume(root / "real_scans" / case.origin["file"]).data
        else:
            data = renderer.render(LatentState(seed=case.origin["seed"])).data
        random = secret_stream(f"turing/dither/{case.name}", salt, STUDY_SEED)
        expected = dithered(scale(data, (0, 0, 0), (1.0, 99.8), 4096), 4096, random)
        np.testing.assert_array_equal(package.volume(shown), expected)


def test_the_class_does_not_affect_the_voxels(tmp_path, monkeypatch):
    # Without dither, which is another one in every study, for this once.
    monkeypatch.setattr(creation, "dithered", lambda grey, levels, random: creation.rounded(grey))
    first = write_volumes(tmp_path / "a", 13, "a", seed=1)
    second = write_volumes(tmp_path / "b", 13, "b", seed=2)
    voxels = []
    for name, real, generated in (("one", first, second), ("two", second, first)):
        study = new_study(
            tmp_path / name, FolderSource(real), generated_source(generated, 1.0), protocol()
        )
        voxels.append({case.origin["file"]: case.voxels_sha256 for case in study.key.cases})
    assert voxels[0] == voxels[1]


def test_processing_scales_between_percentiles_and_crops():
    data = np.arange(10 * 12 * 14, dtype=np.float32).reshape(10, 12, 14)
    grey = scale(data, (1, 2, 3), (10.0, 90.0), 256)
    assert grey.shape == (8, 8, 8)
    assert (grey.min(), grey.max()) == (0, 255)
    assert np.mean(grey == 0) == pytest.approx(0.1, abs=0.01)
    np.testing.assert_allclose(scale(data * 7 - 3, (1, 2, 3), (10.0, 90.0), 256), grey, atol=1e-3)
    with pytest.raises(CowganError, match="Nothing is left"):
        scale(data, (5, 0, 0), (1.0, 99.0), 256)


def test_dither_moves_no_voxel_by_more_than_a_level_and_none_on_average():
    grey = np.random.default_rng(0).uniform(0, 4095, (20, 40, 40))
    voxels = dithered(grey, 4096, np.random.RandomState(1))
    assert voxels.dtype == np.dtype("<u2")
    assert voxels.flags.c_contiguous
    moved = voxels - grey
    assert np.abs(moved).max() < 1.5
    # Half a level of noise in 32,000 voxels: five standard errors are 0.014.
    assert abs(moved.mean()) < 0.015
    # Neither does it depend on the voxel, nor do whole grey levels escape it.
    whole = dithered(np.full((20, 40, 40), 7.0), 4096, np.random.RandomState(2)) - 7.0
    assert whole.std() == pytest.approx(0.5, abs=0.02)
    other = dithered(grey, 4096, np.random.RandomState(3))
    assert np.mean(other != voxels) > 0.4


def test_seeds_come_from_the_salt_and_are_stored_only_in_the_key(frozen, tmp_path):
    def seeds(study: Study) -> list[int]:
        return [c.origin["seed"] for c in study.key.cases if c.truth == "generated"]

    drawn = seeds(frozen)
    assert len(set(drawn)) == 13
    assert max(drawn) > 2**60, "they are of 64 bits"
    # The same choices, and another secret.
    assert not {*drawn} & {*seeds(freeze(tmp_path, from_model=True, salt=bytes([1] * 32)))}
    elsewhere = (frozen.folder / "study.json").read_text(encoding="utf-8")
    assert not [seed for seed in drawn if str(seed) in elsewhere]


def test_random_streams_of_a_study_are_independent(frozen):
    salt = (frozen.folder / "key" / "salt.bin").read_bytes()
    streams = [
        secret_stream(purpose, secret, seed).bytes(32)
        for purpose in ("turing/generated", "turing/roles")
        for secret in (salt, bytes([1] * 32))
        for seed in (0, 1)
    ]
    assert len(set(streams)) == len(streams)
    assert secret_stream("turing/roles", salt, 1).bytes(32) == streams[5]


@pytest.mark.parametrize(
    ("folder", "named"),
    [("IXI", ["IXI"]), ("scans/topcow_2024", ["topcow"]), ("adam/fixing", []), ("ours", [])],
)
def test_real_volumes_that_seem_public_are_reported(tmp_path, folder, named):
    real = FolderSource(write_volumes(tmp_path / folder, 13, "s"))
    other = FolderSource(write_volumes(tmp_path / "other", 13, "s", seed=3))
    study = new_study(tmp_path / "study", real, other, protocol(readers=1))
    assert study.description["sources"]["real"]["public"] == named
    assert [name for name in named if f"public ({name})" in " ".join(study.notes)] == named
    assert ("public" in " ".join(study.notes)) == bool(named)


def test_ambiguities_of_real_volumes_are_reported(tmp_path):
    folder = write_volumes(tmp_path / "real", 13, "s")
    for path in sorted(folder.glob("*.nii.gz"))[:2]:
        image = nib.load(path)
        image.header["sform_code"] = image.header["qform_code"] = 0
        nib.Nifti1Image(image.dataobj, None, image.header).to_filename(path)
    other = FolderSource(write_volumes(tmp_path / "other", 13, "s", seed=3))
    study = new_study(tmp_path / "study", FolderSource(folder), other, protocol(readers=1))
    used = sum(
        "no orientation" in " ".join(case.origin["remarks"]).lower() for case in study.key.cases
    )
    assert used in (1, 2)
    assert [
        note
        for note in study.notes
        if f'{used} of the real volumes came with the remark "No or' in note
    ]


@pytest.mark.parametrize(
    "name", ["../../../home/x", "sub-R01/..", "/sub-R01", "sub-R1", "sub-R01\n"]
)
def test_reader_names_that_are_paths_are_refused(study, name):
    """A folder from elsewhere may be sound in itself: its hashes fit."""
    with pytest.raises(CowganError, match="no name of a reader"):
        replace(study.key, readers={name: study.key.readers["sub-R01"]})
    with pytest.raises(CowganError, match="no name of a reader"):
        replace(study.manifest("sub-R01"), reader=name)


@pytest.mark.skipif(sys.platform != "linux", reason="names are text there")
def test_an_unencodable_file_name_is_refused(tmp_path, single_sentence):
    real = write_volumes(tmp_path / "real", 13, "s")
    next(real.glob("*.nii.gz")).rename(real / os.fsdecode(b"sub-\xff\x1b[2J.nii.gz"))
    with pytest.raises(CowganError) as refusal:
        FolderSource(real).describe()
    assert "another encoding" in single_sentence(refusal)


def test_a_study_of_the_first_version_is_refused_with_the_reason(study, single_sentence):
    file = study.folder / "study.json"
    file.write_text(
        file.read_text(encoding="utf-8").replace("cowgan.turing-study/2", "cowgan.turing-study/1"),
        encoding="utf-8",
    )
    with pytest.raises(CowganError) as refusal:
        Study.open(study.folder)
    assert "readers could find out which volumes are generated" in single_sentence(refusal)


def test_one_volume_per_subject_is_taken_and_no_label_map(tmp_path):
    folder = write_volumes(tmp_path / "real", 13)
    for path in sorted(folder.glob("*.nii.gz"))[:5]:
        data = read_volume(path).data + np.random.default_rng(5).random(SHAPE, np.float32)
        stem = path.name.removesuffix("_angio.nii.gz")
        volume = Volume(data, default_affine(SHAPE, SPACING_MM))
        write_nifti(volume, folder / f"{stem}_run-2_angio.nii.gz")
        labels = (data > data.mean()).astype(np.uint8)
        write_labels(labels, volume.affine, folder / f"{stem}_label.nii.gz")
    source = FolderSource(folder)
    assert source.describe()["files"] == 18
    assert source.describe()["subjects"] == 13
    other = FolderSource(write_volumes(tmp_path / "other", 13, "other", seed=3))
    study = new_study(tmp_path / "study", source, other, protocol())
    subjects = [c.origin["subject"] for c in study.key.cases if c.truth == "real"]
    assert len(set(subjects)) == len(subjects) == 13


def test_pairs_show_one_of_each_on_balanced_sides(tmp_path):
    chosen = protocol(cases=40, rules=Rules("2afc"), repeats=4, impressions=0)
    study = freeze(tmp_path, chosen)
    sides = {}
    for reader in study.readers:
        trials = study.package(reader).manifest.trials
        reading = [trial for trial in trials if trial.phase == "reading"]
        assert len(reading) == 24
        pairs, on_left = {}, []
        for trial in trials:
            left, right = (study.key.case(reader, case) for case in trial.cases)
            assert {left.truth, right.truth} == {"real", "generated"}
            generated_left = left.truth == "generated"
            if trial.phase == "practice":
                assert trial.expected == ("left" if generated_left else "right")
                continue
            pair = frozenset((left.name, right.name))
            assert pairs.setdefault(pair, generated_left) == generated_left
            on_left.append(generated_left)
        assert len(pairs) == 20
        assert [sum(on_left[i : i + 10]) for i in (0, 10)] == [5, 5]
        sides[reader] = pairs
    first, second = sides.values()
    assert set(first) == set(second), "readers agree on pairs only if they see the same ones"
    assert first != second


def test_the_commitment_binds_key_and_protocol(study, single_sentence):
    key, salt = study.folder / "key" / "key.json", study.folder / "key" / "salt.bin"
    committed = study.package("sub-R01").manifest.key_commitment
    assert commitment(salt.read_bytes(), key.read_bytes()) == committed
    stored = key.read_text(encoding="utf-8")
    key.write_text(stored.replace('"generated"', '"real"', 1), encoding="utf-8")
    with pytest.raises(CowganError) as refusal:
        Study.open(study.folder)
    assert "not the one that the study was frozen with" in single_sentence(refusal)
    key.write_text(stored, encoding="utf-8")
    file = study.folder / "study.json"
    file.write_text(
        file.read_text(encoding="utf-8").replace('"margin_auc": 0.14', '"margin_auc": 0.4'),
        encoding="utf-8",
    )
    with pytest.raises(CowganError) as refusal:
        Study.open(study.folder)
    assert "protocol" in single_sentence(refusal)


def test_a_study_without_its_key_and_other_folders_are_refused(study, single_sentence):
    shutil.rmtree(study.folder / "key")
    for folder in (study.folder, study.folder / "packages"):
        with pytest.raises(CowganError) as refusal:
            Study.open(folder)
        single_sentence(refusal)


def test_a_package_of_another_study_is_noticed(study, tmp_path, single_sentence):
    other = freeze(tmp_path / "other")
    shutil.rmtree(study.package_folder("sub-R01"))
    shutil.copytree(other.package_folder("sub-R01"), study.package_folder("sub-R01"))
    with pytest.raises(CowganError) as refusal:
        study.package("sub-R01")
    assert "not the package that was made for the study" in single_sentence(refusal)


def a_volume(folder: Path) -> Path:
    return files_of(folder / "vol")[3]


def rewrite_manifest(folder: Path, change) -> None:
    path = folder / "manifest.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(json.dumps(content), encoding="utf-8")


DAMAGES = {
    "no manifest": lambda f: (f / "manifest.json").unlink(),
    "empty manifest": lambda f: (f / "manifest.json").write_bytes(b""),
    "half a manifest": lambda f: (f / "manifest.json").write_bytes(
        (f / "manifest.json").read_bytes()[:900]
    ),
    "no text": lambda f: (f / "manifest.json").write_bytes(b"\xff\xfe\x00"),
    "a list": lambda f: (f / "manifest.json").write_text("[]", encoding="utf-8"),
    "another version": lambda f: rewrite_manifest(f, lambda m: m.update(schema="other/9")),
    "another rule": lambda f: rewrite_manifest(f, lambda m: m["rules"].update(hint_s=1)),
    "another order": lambda f: rewrite_manifest(f, lambda m: m["trials"].reverse()),
    "a trial less": lambda f: rewrite_manifest(f, lambda m: m["trials"].pop()),
    "another commitment": lambda f: rewrite_manifest(f, lambda m: m.update(key_commitment="0")),
    "a missing entry": lambda f: rewrite_manifest(f, lambda m: m.pop("display")),
    "volume missing": lambda f: a_volume(f).unlink(),
    "volume cut": lambda f: a_volume(f).write_bytes(a_volume(f).read_bytes()[:-1]),
    "one bit": lambda f: a_volume(f).write_bytes(
        a_volume(f).read_bytes()[:-1] + bytes([a_volume(f).read_bytes()[-1] ^ 1])
    ),
    "volumes swapped": lambda f: a_volume(f).replace(files_of(f / "vol")[5]),
    "a volume more": lambda f: shutil.copy(a_volume(f), f / "vol" / "ffffffff.npy"),
    "a hint": lambda f: (f / "practice" / "answers.txt").write_text("RG", encoding="utf-8"),
    "no folder": lambda f: shutil.rmtree(f),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_each_damage_of_a_package_is_reported_in_one_sentence(study, damage, single_sentence):
    folder = study.package_folder("sub-R02")
    Package.open(folder)
    DAMAGES[damage](folder)
    with pytest.raises(CowganError) as refusal:
        Package.open(folder)
    single_sentence(refusal)


def test_a_volume_that_changes_while_it_is_read_is_noticed(study, single_sentence):
    package = study.package("sub-R01")
    case = package.manifest.trials[0].cases[0]
    path = package.folder / package.manifest.volumes[case].file
    path.write_bytes(path.read_bytes()[:-2] + b"\x01\x02")
    with pytest.raises(CowganError) as refusal:
        package.volume(case)
    assert "was changed after the package was made" in single_sentence(refusal)


def test_a_reader_goes_through_a_copied_package_in_two_sittings(study, tmp_path):
    package = Package.open(shutil.copytree(study.package_folder("sub-R01"), tmp_path / "mine"))
    course = package.manifest.course
    read = 0
    for limit in (9, 1000):
        package = Package.open(package.folder)
        with package.journal() as journal:
            session = Session(course, journal)
            while session.state is not State.FINISHED and read < limit:
                if session.state is State.LOADING:
                    assert package.volume(session.trial.cases[0]).shape == SHAPE
                read += session.state is State.RATED
                take_step(session)
            session.stop()
    assert read == len(course.trials) == 30
    assert re.fullmatch(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){3}", session.finish_code)
    other = study.package("sub-R02")
    shutil.copy(package.folder / "journal.jsonl", other.folder)
    with pytest.raises(CowganError, match="another package"):
        other.journal()


def spoil_one(tmp_path: Path, data: np.ndarray, spacing_mm=SPACING_MM) -> None:
    write_volumes(tmp_path / "real_scans", 20)
    target = sorted((tmp_path / "real_scans").glob("*.nii.gz"))
    for path in target[13:]:
        path.unlink()
    volume = Volume(data.astype(np.float32), default_affine(data.shape, spacing_mm))
    write_nifti(volume, target[4])


def some_volume(tmp_path: Path) -> np.ndarray:
    write_volumes(tmp_path / "look", 20)
    return read_volume(tmp_path / "look" / "sub-zebra002_angio.nii.gz").data


@pytest.mark.parametrize(
    ("make", "spacing_mm", "words"),
    [
        (lambda path: some_volume(path), SPACING_MM, "the same volume"),
        (lambda path: some_volume(path) * 3 + 7, SPACING_MM, "the same volume"),
        (lambda path: some_volume(path)[:, ::-1], SPACING_MM, "perhaps mirrored"),
        (lambda path: some_volume(path)[:7], SPACING_MM, "the same size"),
        (lambda path: some_volume(path) + 1, (0.5, 0.61875, 0.61875), "the same voxel size"),
        (lambda path: np.zeros(SHAPE), SPACING_MM, "the same value"),
    ],
)
def test_volumes_that_do_not_belong_together_are_refused(
    tmp_path, make, spacing_mm, words, single_sentence
):
    spoil_one(tmp_path, make(tmp_path), spacing_mm)
    with pytest.raises(CowganError) as refusal:
        freeze(tmp_path)
    assert words in single_sentence(refusal)
    assert not list(tmp_path.glob("*study*"))


def test_too_few_volumes_are_reported_with_both_numbers(tmp_path, single_sentence):
    write_volumes(tmp_path / "real_scans", 12)
    with pytest.raises(CowganError) as refusal:
        freeze(tmp_path)
    assert "needs 13 volumes" in single_sentence(refusal)
    assert "has 12" in refusal.value.sentence


def test_a_study_never_replaces_anything(tmp_path, single_sentence):
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "mine").write_text("kept", encoding="utf-8")
    with pytest.raises(CowganError) as refusal:
        freeze(tmp_path)
    assert "exists already" in single_sentence(refusal)
    assert (tmp_path / "study" / "mine").read_text(encoding="utf-8") == "kept"


@pytest.mark.parametrize("after", [0, 15, 27, 40, 54])
def test_a_cancelled_study_leaves_nothing(tmp_path, after):
    class Impatient:
        reports = 0
        cancelled = False

        def report(self, done: int, total: int, message: str = "") -> None:
            assert 0 <= done <= total == 54
            self.cancelled = done == after

    with pytest.raises(Cancelled):
        freeze(tmp_path, progress=Impatient())
    assert not list(tmp_path.glob("*study*"))
    assert freeze(tmp_path).readers == ["sub-R01", "sub-R02"]


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch, single_sentence):
    monkeypatch.setattr(
        shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 10**4)
    )
    with pytest.raises(CowganError) as refusal:
        freeze(tmp_path)
    assert "are free there" in single_sentence(refusal)
    assert not list(tmp_path.glob("*study*"))


@pytest.mark.skipif(os.name == "nt", reason="kills a process")
def test_remains_of_a_killed_process_are_removed_by_the_next(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from cowgan.folders import *\n"
        "with folder_in_the_making(Path(sys.argv[1]), 0) as part:\n"
        "    (part / 'half').write_text('x'); print('ready', flush=True); time.sleep(60)\n"
    )
    target = tmp_path / "study"
    child = subprocess.Popen([sys.executable, "-c", code, str(target)], stdout=subprocess.PIPE)
    assert child.stdout.readline() == b"ready\n"
    with pytest.raises(CowganError, match="by another process"):
        freeze(tmp_path)
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert not target.exists()
    time.sleep(0.01)
    study = freeze(tmp_path)
    assert not (study.folder / "half").exists()
    assert [path.name for path in tmp_path.glob("*study*")] == ["study"]


@pytest.mark.parametrize(
    "changes",
    [
        {"cases": 8},
        {"cases": 21},
        {"cases": 22, "rules": Rules("2afc")},
        {"readers": 0},
        {"practice": 3},
        {"repeats": 3},
        {"repeats": 12},
        {"block": 5},
        {"seed": -1},
        {"percentiles": (50.0, 50.0)},
        {"crop": (-1, 0, 0)},
        {"grey_levels": 255},
    ],
)
def test_impossible_protocols_are_reported_in_one_sentence(changes, single_sentence):
    with pytest.raises(CowganError) as refusal:
        protocol(**changes)
    single_sentence(refusal)


def test_a_protocol_survives_json():
    chosen = protocol(crop=(1, 2, 3), rules=Rules("2afc", marks=False))
    assert parse_json(json.dumps(chosen.to_dict()), Protocol, "It") == chosen
    with pytest.raises(CowganError):
        checked({"seed": 1}, Protocol, "It")


def test_repeats_are_a_tenth_unless_the_study_is_small():
    assert default_repeats(100, Rules()) == 10
    assert default_repeats(56, Rules()) == 4
    assert default_repeats(20, Rules()) == 0
    assert default_repeats(100, Rules("2afc")) == 4


def test_practice_uses_six_volumes_if_enough_remain():
    assert [default_practice(20, left) for left in (10, 11, 13, 50, np.inf)] == [0, 2, 6, 6, 6]
    assert default_practice(20, 4) == 0
