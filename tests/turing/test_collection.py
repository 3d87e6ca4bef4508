"""Collection keeps sound journals and refuses anything else in one sentence."""

import os
import shutil
import tracemalloc
import zipfile
from dataclasses import replace
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from turing_readers import observer, play
from turing_studies import freeze, protocol

from cowgan.errors import CowganError
from cowgan.turing.reading.package import JOURNAL_FILE, MANIFEST_FILE, Package, read_manifest
from cowgan.turing.study.collection import collect, journal_path, progress
from cowgan.turing.study.study import STUDY_FILE, Study


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Study:
    return freeze(tmp_path_factory.mktemp("made"))


@pytest.fixture
def study(made, tmp_path) -> Study:
    return Study.open(shutil.copytree(made.folder, tmp_path / "study"))


@pytest.fixture
def package_folder(study, tmp_path) -> Path:
    """Return the first reader's package, distributed and not yet read."""
    return shutil.copytree(study.package_folder("sub-R01"), tmp_path / "on a stick" / "sub-R01")


def read(study: Study, folder: Path, trials: int = 1000) -> str | None:
    return play(folder, observer(study, "sub-R01", d_prime=1), trials)


def states(study: Study) -> dict[str, tuple[str, int]]:
    return {of.reader: (of.state, of.done) for of in progress(study)}


def test_progress_follows_the_collected_journals(study, package_folder):
    total = len(study.package("sub-R01").manifest.trials)
    assert states(study) == {"sub-R01": ("not returned", 0), "sub-R02": ("not returned", 0)}
    read(study, package_folder, trials=3)
    (reader,) = collect(study, [package_folder])
    assert (reader.reader, reader.state, reader.done, reader.total) == (
        "sub-R01",
        "under way",
        3,
        total,
    )
    assert (reader.finish_code, reader.last_seen is not None) == (None, True)
    code = read(study, package_folder)
    (reader,) = collect(study, [package_folder])
    assert (reader.state, reader.done, reader.finish_code) == ("finished", total, code)
    assert progress(study)[0] == reader


def test_a_reader_who_declines_is_listed_as_declined(study, package_folder):
    play(package_folder, observer(study, "sub-R01", 0), consent=False)
    collect(study, [package_folder])
    assert states(study)["sub-R01"] == ("declined", 0)


def test_collecting_twice_changes_nothing(study, package_folder):
    read(study, package_folder)
    collect(study, [package_folder])
    kept = journal_path(study, "sub-R01").read_bytes()
    collect(study, [package_folder, package_folder])
    assert (
        journal_path(study, "sub-R01").read_bytes()
        == kept
        == (package_folder / JOURNAL_FILE).read_bytes()
    )
    assert [path.name for path in (study.folder / "returned").rglob("*")] == [
        "sub-R01",
        JOURNAL_FILE,
    ]


@pytest.mark.parametrize("below", ["", "sub-R01/", "Desktop/my reading/"])
def test_a_zipped_package_or_the_journal_alone_can_be_collected(
    study, package_folder, tmp_path, below
):
    read(study, package_folder)
    packed = tmp_path / "mail.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in package_folder.rglob("*"):
            archive.write(path, below + path.relative_to(package_folder).as_posix())
        archive.writestr("__MACOSX/._journal.jsonl", b"resource fork")
    collect(study, [packed])
    assert states(study)["sub-R01"][0] == "finished"
    journal_path(study, "sub-R01").unlink()
    collect(study, [package_folder / JOURNAL_FILE])
    assert states(study)["sub-R01"][0] == "finished"


def test_an_incomplete_last_line_is_left_out(study, package_folder):
    read(study, package_folder, trials=5)
    whole = (package_folder / JOURNAL_FILE).read_bytes()
    with (package_folder / JOURNAL_FILE).open("ab") as journal:
        journal.write(b'{"data":{"answ')
    collect(study, [package_folder])
    assert journal_path(study, "sub-R01").read_bytes() == whole


def refusal(study: Study, *returned: Path) -> str:
    before = {p: p.read_bytes() for p in study.folder.rglob("*") if p.is_file()}
    with pytest.raises(CowganError) as error:
        collect(study, returned)
    assert {p: p.read_bytes() for p in study.folder.rglob("*") if p.is_file()} == before
    assert error.value.sentence.endswith(".")
    return error.value.sentence


def test_an_older_state_or_a_second_reading_is_refused(study, package_folder, tmp_path):
    read(study, package_folder, trials=2)
    older = shutil.copytree(package_folder, tmp_path / "older")
    read(study, package_folder, trials=2)
    collect(study, [package_folder])
    assert "older state of sub-R01" in refusal(study, older)
    read(study, older, trials=5)
    assert "go on differently" in refusal(study, older)


def test_changed_files_are_refused(study, package_folder):
    read(study, package_folder)
    journal = package_folder / JOURNAL_FILE
    content = journal.read_bytes()
    journal.write_bytes(content.replace(b'"level":', b'"level": ', 1))
    assert "was changed after it was written" in refusal(study, package_folder)
    lines = content.splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:10] + lines[11:]))
    assert "line 11" in refusal(study, package_folder)
    journal.write_bytes(content)
    volume = sorted((package_folder / "vol").iterdir())[3]
    voxels = bytearray(volume.read_bytes())
    voxels[-1] ^= 1
    volume.write_bytes(voxels)
    assert f"vol/{volume.name}" in refusal(study, package_folder)
    volume.unlink()
    (package_folder / "manifest.json").write_text("{}", encoding="utf-8")
    assert "manifest.json" in refusal(study, package_folder)


def test_anything_but_a_package_of_this_study_is_refused(study, package_folder, tmp_path):
    other = freeze(tmp_path / "other", protocol(readers=1))
    foreign = other.package_folder("sub-R01")
    play(foreign, observer(other, "sub-R01", 1))
    read(study, package_folder)
    assert "is not a package of this study" in refusal(study, foreign)
    (tmp_path / "letter.zip").write_text("Dear colleagues", encoding="utf-8")
    assert "could not be read" in refusal(study, tmp_path / "letter.zip")
    assert "There is no" in refusal(study, tmp_path / "gone")
    assert "nobody has begun" in refusal(study, study.package_folder("sub-R02"))


def test_nothing_is_collected_or_distributed_before_freezing(study, package_folder, tmp_path):
    read(study, package_folder)
    description = study.description | {"frozen": None}
    unfrozen = Study(study.folder, description, study.key)
    assert "not frozen" in refusal(unfrozen, package_folder)
    with pytest.raises(CowganError, match="not frozen"):
        unfrozen.zip_package("sub-R01", tmp_path / "sub-R01.zip")
    assert STUDY_FILE in {path.name for path in study.folder.iterdir()}


def test_a_zipped_package_reveals_no_more_than_the_folder(study, tmp_path):
    read(study, study.package_folder("sub-R01"), trials=1)
    for name in ("once.zip", "twice.zip"):
        study.zip_package("sub-R01", tmp_path / name)
    assert (tmp_path / "once.zip").read_bytes() == (tmp_path / "twice.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "once.zip") as archive:
        entries = archive.infolist()
        archive.extractall(tmp_path / "sent")
    names = [entry.filename for entry in entries]
    volumes = [entry for entry in entries if entry.filename.endswith(".npy")]
    assert volumes == sorted(volumes, key=lambda entry: entry.filename)
    assert JOURNAL_FILE not in {Path(name).name for name in names}
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert len({(entry.date_time, entry.extra) for entry in entries}) == 1
    assert len({(entry.external_attr, entry.file_size) for entry in volumes}) == 1
    Package.open(tmp_path / "sent" / "sub-R01")


def test_a_zip_that_unpacks_to_too_much_is_refused(study, package_folder, tmp_path):
    read(study, package_folder, trials=1)
    volume = next(iter((package_folder / "vol").iterdir())).relative_to(package_folder).as_posix()
    for name, more in ((JOURNAL_FILE, 200), (volume, 20)):
        packed = tmp_path / "bomb.zip"
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.write(
                package_folder / JOURNAL_FILE, JOURNAL_FILE
            ) if name != JOURNAL_FILE else None
            with archive.open(name, "w") as member:
                for _ in range(more):
                    member.write(bytes(2**20))
        tracemalloc.start()
        try:
            assert "unpacks to more than" in refusal(study, packed)
            assert tracemalloc.get_traced_memory()[1] < 10e6
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize(
    ("method", "content"),
    [
        (1, b"{}"),
        (97, b"{}"),
        (zipfile.ZIP_LZMA, b"\x09\x04\x05\x00\xff\xff\xff\xff\xff"),
        (zipfile.ZIP_LZMA, b"\x09\x04\x05\x00\x5d\x00\x00\x01\x00" + b"\xff" * 500),
    ],
    ids=["Shrink", "WavPack", "LZMA properties", "LZMA data"],
)
def test_a_zip_with_unknown_or_invalid_compression_is_refused(study, tmp_path, method, content):
    packed = tmp_path / "odd.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(JOURNAL_FILE, content)
    damaged = bytearray(packed.read_bytes())
    for start in (8, damaged.index(b"PK\x01\x02") + 10):
        damaged[start : start + 2] = method.to_bytes(2, "little")
    packed.write_bytes(damaged)
    assert "damaged or encrypted" in refusal(study, packed)


@pytest.mark.skipif(os.name == "nt", reason="there are no such pipes there")
@pytest.mark.timeout(60)
def test_a_pipe_in_place_of_a_file_is_refused_at_once(study, package_folder):
    read(study, package_folder, trials=1)
    for name in (MANIFEST_FILE, JOURNAL_FILE):
        (package_folder / name).rename(package_folder / "kept")
        os.mkfifo(package_folder / name)
        assert "not a file" in refusal(study, package_folder)
        with pytest.raises(CowganError):
            read(study, package_folder, trials=1)
        (package_folder / name).unlink()
        (package_folder / "kept").rename(package_folder / name)


@pytest.mark.parametrize("file", ["../study.json", "/etc/passwd", "vol/../../secret.npy"])
def test_a_manifest_names_nothing_outside_its_package(package_folder, file):
    manifest = read_manifest(package_folder)
    case, entry = next(iter(manifest.volumes.items()))
    outside = {**manifest.volumes, case: replace(entry, file=file)}
    package = Package(package_folder, replace(manifest, volumes=outside))
    with pytest.raises(CowganError, match="does not lie in it"):
        package.volume(case)


def test_a_volume_of_another_size_is_refused(package_folder):
    """A hostile package is sound in itself: its hashes fit."""
    manifest = read_manifest(package_folder)
    case, entry = next(iter(manifest.volumes.items()))
    for shape, data_type in (((2**20, 2**20, 2**10), "<u2"), ((8, 16, 16), "O"), ((1,), "<f8")):
        content = BytesIO()
        header = {"descr": data_type, "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(content, header)
        written = content.getvalue()
        (package_folder / entry.file).write_bytes(written)
        own = replace(entry, bytes=len(written), sha256=sha256(written).hexdigest())
        hostile = replace(manifest, volumes={**manifest.volumes, case: own})
        with pytest.raises(CowganError, match="not a volume of this package"):
            Package(package_folder, hostile).volume(case)
